#include "guests/trapped/virtio.hpp"

#include "guests/trapped/registers.hpp"

namespace small::trapped {
namespace {

constexpr u8 kAcknowledge = 1, kDriver = 2, kDriverOk = 4;
constexpr u16 kNext = 1, kDeviceWrites = 2, kNoInterrupt = 1;

struct Descriptor {
    u64 address;
    u32 size;
    u16 flags, next;
};
struct Available {
    u16 flags, index, ring[];
};
struct UsedElement {
    u32 id, size;
};
struct Used {
    u16 flags, index;
    UsedElement ring[];
};

u64 used_offset(u32 size) { return (size * sizeof(Descriptor) + 6 + 2 * size + kPageSize - 1) & ~(kPageSize - 1); }

/// The device reads and writes beside the CPU. x86 keeps stores in order; the compiler is told to.
void barrier() { asm volatile("mfence" ::: "memory"); }

}  // namespace

bool VirtQueue::start(u16 io_base, u16 index, u32 group_size) {
    out16(io_base + kQueueSelect, index);
    const u32 size = in16(io_base + kQueueSize);
    if (size < group_size || size > kMaxSize || (size & (size - 1)) != 0) return false;
    io_base_ = io_base, index_ = index, size_ = size, group_size_ = group_size;
    out32(io_base + kQueuePage, static_cast<u32>(reinterpret_cast<u64>(memory_) / kPageSize));
    return true;
}

void VirtQueue::offer(u32 group, const Piece* pieces, u32 count) {
    auto* descriptors = reinterpret_cast<Descriptor*>(memory_);
    auto* available = reinterpret_cast<volatile Available*>(memory_ + size_ * sizeof(Descriptor));
    const u32 first = group * group_size_;
    for (u32 i = 0; i < count; ++i) {
        const u16 flags = static_cast<u16>((pieces[i].device_writes ? kDeviceWrites : 0) | (i + 1 < count ? kNext : 0));
        descriptors[first + i] = {pieces[i].address, pieces[i].size, flags, static_cast<u16>(first + i + 1)};
    }
    available->ring[available->index % size_] = static_cast<u16>(first);
    barrier();  // Order: the element before the index that shows it.
    available->index = static_cast<u16>(available->index + 1);
}

void VirtQueue::notify() {
    barrier();
    out16(io_base_ + kQueueNotify, index_);
}

bool VirtQueue::take(u32& group, u32& written) {
    const auto* used = reinterpret_cast<const volatile Used*>(memory_ + used_offset(size_));
    if (used->index == seen_) return false;
    barrier();
    const u32 id = used->ring[seen_ % size_].id;
    written = used->ring[seen_ % size_].size;
    ++seen_;
    group = id / group_size_;
    return id < size_ && group < groups();
}

void VirtQueue::want_no_interrupts() {
    reinterpret_cast<volatile Available*>(memory_ + size_ * sizeof(Descriptor))->flags = kNoInterrupt;
}

u32 begin_virtio(const PciDevice& device, u32 wanted) {
    out8(device.io_base + kStatus, 0);
    out8(device.io_base + kStatus, kAcknowledge);
    out8(device.io_base + kStatus, kAcknowledge | kDriver);
    const u32 features = in32(device.io_base + kDeviceFeatures) & wanted;
    out32(device.io_base + kDriverFeatures, features);
    return features;
}

void finish_virtio(const PciDevice& device) { out8(device.io_base + kStatus, kAcknowledge | kDriver | kDriverOk); }

}  // namespace small::trapped
