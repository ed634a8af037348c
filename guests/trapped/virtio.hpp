// Virtio devices behind PCI in their legacy form (virtio 1.2, 4.1.4.10 "Legacy Interfaces"): all registers are I/O ports, a
// queue is one run of pages whose number is written to a register, numbers are little-endian.
#pragma once

#include "guests/trapped/pci.hpp"

namespace small::trapped {

/// What one element of a queue points at.
struct Piece {
    u64 address;
    u32 size;
    bool device_writes;
};

/// A split virtqueue, with the descriptors handed out in fixed groups: as many elements may be under way as groups.
class VirtQueue {
  public:
    /// False if the device has no such queue, or a longer one than there is room for.
    bool start(u16 io_base, u16 index, u32 group_size);
    u32 groups() const { return size_ / group_size_; }
    /// Give group `group` to the device: `count` pieces. The device is told by `notify`.
    void offer(u32 group, const Piece* pieces, u32 count);
    void notify();
    /// The next group that the device gave back, with the bytes that it wrote. False if there is none.
    bool take(u32& group, u32& written);
    /// The device need not interrupt for this queue.
    void want_no_interrupts();

    static constexpr u32 kMaxSize = 256;
    static constexpr u64 kBytes = 3 * kPageSize;  ///< Of kMaxSize entries: descriptors, available | used.
    u8* memory() { return memory_; }

  private:
    u16 io_base_{}, index_{}, seen_{};
    u32 size_{}, group_size_{};
    alignas(kPageSize) u8 memory_[kBytes]{};
};

// Registers, from the I/O base.
inline constexpr u16 kDeviceFeatures = 0, kDriverFeatures = 4, kQueuePage = 8, kQueueSize = 12, kQueueSelect = 14;
inline constexpr u16 kQueueNotify = 16, kStatus = 18, kInterruptStatus = 19, kDeviceConfig = 20;

/// Reset it, say that there is a driver, and take of its features those in `wanted`: answers which those are.
u32 begin_virtio(const PciDevice& device, u32 wanted);
/// The driver is ready.
void finish_virtio(const PciDevice& device);

}  // namespace small::trapped
