// Requests: a header, data one way or the other, and a status byte at the very end.
#include "libos/vmm/devices/virtio_block.hpp"

#include <algorithm>
#include <cstring>

namespace tessera::vmm {
namespace {

enum Feature : u32 { kSegmentsMax = 2, kReadOnly = 5, kBlockSize = 6, kFlush = 9 };
enum Request : u32 { kRead = 0, kWrite = 1, kFlushRequest = 4, kIdentify = 8 };

struct Header {
    u32 type;
    u32 priority;
    u64 sector;
};
static_assert(sizeof(Header) == 16);

/// Virtio 1.1, 5.2.4, up to the last field that a feature of ours is about.
struct Config {
    u64 sectors;
    u32 size_max, segments_max;
    u16 cylinders;
    u8 heads, sectors_per_track;
    u32 block_size;
};
static_assert(sizeof(Config) == 24);

constexpr u64 kSerialSize = 20;

constexpr VirtioKind kind_of(const Disk& disk) {
    return {"virtio-blk",
            2,
            0x1001,
            0x01'8000,
            1u << kSegmentsMax | 1u << kBlockSize | 1u << kFlush | (disk.writable() ? 0 : 1u << kReadOnly),
            {kMaxQueueSize, 0, 0}};
}

}  // namespace

VirtioBlock::VirtioBlock(GuestMemory& memory, GuestLog& log, Disk& disk, const char* name)
    : VirtioDevice(kind_of(disk), memory, log), disk_(disk), serial_(name) {}

u8 VirtioBlock::config(u32 offset) const {
    Config config{};
    config.sectors = disk_.sectors();
    config.segments_max = kMaxQueueSize - 2;  // Header and status need a descriptor each.
    config.block_size = kSectorSize;
    u8 bytes[sizeof config];
    std::memcpy(bytes, &config, sizeof config);
    return offset < sizeof config ? bytes[offset] : u8{0};
}

void VirtioBlock::on_notify(u32 queue) {
    serve_all(queue, [this](const Chain& chain) { return serve(chain); });
}

u32 VirtioBlock::serve(const Chain& chain) {
    if (chain.readable() < sizeof(Header) || chain.writable() == 0) {
        give_up(0, "a request without header or status");
        return 0;
    }
    const Answer answer = carry_out(chain);
    const std::byte status{answer.status};
    if (!chain.write(memory_, chain.writable() - 1, {&status, 1})) give_up(0, "a status byte that is not in memory");
    return static_cast<u32>(answer.written + 1);
}

VirtioBlock::Answer VirtioBlock::carry_out(const Chain& chain) {
    const auto header = chain.read<Header>(memory_, 0);
    if (!header) return {kError, 0};
    switch (header->type) {
        case kRead:
            return read(chain, header->sector);
        case kWrite:
            return write(chain, header->sector);
        case kFlushRequest:
            return {disk_.flush() ? kDone : kError, 0};
        case kIdentify:
            return identify(chain);
        default:
            return {kUnsupported, 0};
    }
}

bool VirtioBlock::lies_on_disk(u64 sector, u64 bytes) const {
    const u64 sectors = disk_.sectors();
    return bytes % kSectorSize == 0 && bytes <= kMostData && sector <= sectors &&
           bytes / kSectorSize <= sectors - sector;
}

/// Is a page of the guest's the page of the disk from now on, so that there is nothing to copy?
bool VirtioBlock::shows(const Chain& chain, u64 sector, u64 done, u64 size) {
    if (size - done < kPageSize) return false;
    const auto frame = chain.whole_frame(done);
    return frame && *frame < memory_.frames() && disk_.show(sector, *frame);
}

VirtioBlock::Answer VirtioBlock::read(const Chain& chain, u64 sector) {
    const u64 size = chain.writable() - 1;
    if (!lies_on_disk(sector, size)) return {kError, 0};
    for (u64 done = 0; done < size;) {
        if (shows(chain, sector + done / kSectorSize, done, size)) {
            done += kPageSize;
            continue;
        }
        const std::span part(buffer_, std::min<u64>(size - done, sizeof buffer_));
        if (!disk_.read(sector + done / kSectorSize, part) || !chain.write(memory_, done, part)) return {kError, done};
        done += part.size();
    }
    return {kDone, size};
}

VirtioBlock::Answer VirtioBlock::write(const Chain& chain, u64 sector) {
    const u64 size = chain.readable() - sizeof(Header);
    if (!disk_.writable() || !lies_on_disk(sector, size)) return {kError, 0};
    for (u64 done = 0; done < size;) {
        const std::span part(buffer_, std::min<u64>(size - done, sizeof buffer_));
        if (!chain.read(memory_, sizeof(Header) + done, part)) return {kError, 0};
        if (!disk_.write(sector + done / kSectorSize, part)) return {kError, 0};
        done += part.size();
    }
    return {kDone, 0};
}

/// The serial number, ended by a zero if it is shorter than its field.
VirtioBlock::Answer VirtioBlock::identify(const Chain& chain) {
    char serial[kSerialSize]{};
    for (u64 i = 0; i < sizeof serial && serial_[i] != 0; ++i) serial[i] = serial_[i];
    const u64 size = std::min<u64>(chain.writable() - 1, sizeof serial);
    const bool written = chain.write(memory_, 0, std::as_bytes(std::span(serial, size)));
    return written ? Answer{kDone, size} : Answer{kError, 0};
}

}  // namespace tessera::vmm
