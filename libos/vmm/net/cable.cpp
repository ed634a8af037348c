#include "libos/vmm/net/cable.hpp"

#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/vmm/monitor/windows.hpp"
#include "libos/vmm/paravirt/interface.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

// What travels in the ring comes with no frame that could be lent.
static_assert(paravirt::kLeastLent == kEthernetHeader + kSmallPayload);

Outcome Cable::open(std::string_view name, u64 deadline) {
    use_network(bind_in_windows);
    TRY(call<FrameAlloc>({FrameNumber{kAny}, 1, 1, libos::address(stand_in_)}));
    return port_.open(name, deadline);
}

// With all its frames under way, the guest's next one has to wait for the switch, which gets the CPU; but not for long.
void Cable::wait_for_switch() {
    if (!cut_) static_cast<void>(port_.flush(ticks() + information().quantum / 4));
}

std::span<std::byte> Cable::room(const MacAddress& to) {
    room_ = port_.room(to);
    if (room_.empty()) wait_for_switch(), room_ = port_.room(to);
    return room_;
}

void Cable::send(std::span<const std::byte> frame) {
    const bool in_place = !room_.empty() && frame.data() == room_.data();
    Outcome sent = in_place ? port_.send(frame.size()) : port_.send(frame);
    if (!sent.ok() && sent.error() == Error::exhausted) wait_for_switch(), sent = port_.send(frame);
    room_ = {};
    ++(sent.ok() ? sent_ : not_sent_);
    count(frame.size(), frame.size() <= kEthernetHeader + kSmallPayload);
}

// A burst, and then the guest's turn, or who sends without end would keep it from running.
u64 Cable::tend(u64) {
    constexpr u64 kBurst = kReceiveFrames;
    ReceivedFrame frame;
    for (u64 i = 0; i < kBurst; ++i) {
        const auto came = port_.receive(frame, lend_beyond_ == 0);
        if (!came.ok() && !cut_) print("the network is gone: ", name_of(came.error()), "\n");
        cut_ = cut_ || !came.ok();
        if (cut_ || !came.value()) break;
        ++(receive(frame) ? received_ : lost_);
    }
    return kNever;
}

bool Cable::receive(const ReceivedFrame& frame) {
    if (end_ == nullptr) return false;
    const auto header = std::as_bytes(std::span(&frame.header, 1));
    const u64 size = header.size() + frame.payload.size();
    if (frame.page == kNoPage || lend_beyond_ == 0 || size <= lend_beyond_ || to_read_ == kMostToRead || !end_->takes_pages()) {
        count(size, frame.page == kNoPage);
        return end_->receive(header, frame.payload);
    }
    // Not before: what the guest gives back in this request cannot be what it gets by it.
    if (!end_->receive_lent(header, frame.page, size)) return false;
    lend(frame.page, Use::to_read);
    port_.keep_received();
    ++received_lent_;
    return true;
}

// ---- lending --------------------------------------------------------------------------------------------------------

void Cable::lend(u64 page, Use use) {
    uses_[page] = use;
    ++(use == Use::to_fill ? to_fill_ : to_read_);
    const u64 changes = port_.frames().changes(page);
    if (changes_[page] != changes && view_ != nullptr) view_->lent_page_changed(page);
    changes_[page] = changes;
}

std::optional<u64> Cable::lend_room(const MacAddress& to) {
    if (cut_ || to_fill_ == kMostToFill || port_.room(to).empty()) return {};
    const u64 page = port_.keep_room();
    lend(page, Use::to_fill);
    return page;
}

bool Cable::send_lent(u64 page, u64 size, std::optional<u64>& next) {
    MacAddress to;
    if (cut_ || page >= count() || uses_[page] != Use::to_fill) return false;
    if (!port_.send_kept(page, size, to).ok()) return ++not_sent_, false;
    uses_[page] = Use::none;
    --to_fill_;
    ++sent_;
    ++sent_lent_;
    next = lend_room(to);
    return true;
}

bool Cable::give_back(u64 page) {
    if (page >= count() || uses_[page] != Use::to_read) return false;
    uses_[page] = Use::none;
    --to_read_;
    return port_.give_back(page).ok();
}

LentPages::Frame Cable::frame_at(u64 page) const {
    if (page >= count() || uses_[page] == Use::none) return {};
    return {&port_.frames().capability(page), uses_[page] == Use::to_fill};
}

std::optional<WakeTerm> Cable::wakes() const {
    if (cut_) return {};
    return port_.news();
}

void Cable::report(std::string_view guest) const {
    static_cast<void>(record("what", "cable", "guest", guest, "sent", sent_, "not_sent", not_sent_, "received", received_, "lost", lost_, "sent_with_a_frame",
                             port_.frames_filled(), "sent_in_the_ring", port_.frames_copied(), "sent_as_lent", sent_lent_,
                             "received_as_lent", received_lent_, "found_bound", port_.found_bound(), "bytes_copied", copied_bytes_, "bytes_in_the_ring",
                             ring_bytes_));
}

}  // namespace tessera::vmm
