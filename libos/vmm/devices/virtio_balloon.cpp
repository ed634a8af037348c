// Lists of page numbers, and the buffer of statistics that goes to and fro.
#include "libos/vmm/devices/virtio_balloon.hpp"

#include <algorithm>

#include "libos/vmm/devices/time.hpp"

namespace tessera::vmm {
namespace {

enum Feature : u32 { kTellFirst = 0, kStatisticsQueue = 1, kDeflateOnOom = 2 };
constexpr VirtioKind kKind{"virtio-balloon",
                           5,
                           0x1002,
                           0x05'0000,
                           1u << kTellFirst | 1u << kStatisticsQueue | 1u << kDeflateOnOom,
                           {kMaxQueueSize, kMaxQueueSize, kMaxQueueSize}};

struct [[gnu::packed]] Statistic {
    u16 tag;
    u64 value;
};
static_assert(sizeof(Statistic) == 10);

}  // namespace

VirtioBalloon::VirtioBalloon(GuestMemory& memory, GuestLog& log, BalloonOwner& owner)
    : VirtioDevice(kKind, memory, log), owner_(owner) {
    std::fill_n(statistics_, kMemoryStatistics, kNever);
}

void VirtioBalloon::on_reset() {
    actual_ = 0;
    statistics_held_ = false;
}

void VirtioBalloon::set_target(u32 pages) {
    if (pages == target_) return;
    target_ = pages;
    config_changed();
}

/// num_pages, which is ours, and actual, which is the guest's (5.5.4).
u8 VirtioBalloon::config(u32 offset) const {
    if (offset >= 8) return 0;
    return static_cast<u8>((offset < 4 ? target_ : actual_) >> 8 * (offset % 4));
}

void VirtioBalloon::set_config(u32 offset, u8 value) {
    if (offset < 4 || offset >= 8) return;
    const u32 shift = 8 * (offset - 4);
    actual_ = (actual_ & ~(u32{0xff} << shift)) | u32{value} << shift;
}

void VirtioBalloon::on_notify(u32 queue) {
    if (queue == kStatistics) return read_statistics();
    serve_all(queue, [this, queue](const Chain& chain) { return move_pages(queue, chain); });
}

u32 VirtioBalloon::move_pages(u32 queue, const Chain& chain) {
    const u64 pages = chain.readable() / sizeof(u32);
    if (pages > kPagesAtOnce) {
        give_up(queue, "more than 16384 pages at once");
        return 0;
    }
    for (u64 i = 0; i < pages; ++i) {
        const auto frame = chain.read<u32>(memory_, i * sizeof(u32));
        if (!frame || *frame >= memory_.frames()) {
            give_up(queue, "a page that the guest does not have");
            return 0;
        }
        if (queue == kInflate)
            owner_.page_given(*frame);
        else
            owner_.page_taken(*frame);
    }
    return 0;
}

/// The guest leaves one buffer with us, at first and after each time that we have returned it (5.5.6.3).
void VirtioBalloon::read_statistics() {
    if (statistics_held_ || !take(kStatistics)) return;
    statistics_head_ = chain_.head();
    statistics_held_ = true;
    const u64 count = std::min<u64>(chain_.readable() / sizeof(Statistic), kMemoryStatistics);
    for (u64 i = 0; i < count; ++i) {
        const auto each = chain_.read<Statistic>(memory_, i * sizeof(Statistic));
        if (!each) return give_up(kStatistics, "statistics that are not in memory");
        if (each->tag < kMemoryStatistics) statistics_[each->tag] = each->value;
    }
    ++statistics_received_;
}

bool VirtioBalloon::ask_statistics() {
    if (!statistics_held_ || !queue_ready(kStatistics)) return false;
    statistics_held_ = false;
    finish(kStatistics, statistics_head_, 0);
    return true;
}

}  // namespace tessera::vmm
