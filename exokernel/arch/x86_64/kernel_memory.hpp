// The kernel's own address space: all of RAM (never executable), the image (W^X), devices, and the information
// pages that every libOS can read. Its upper half is in every context.
#pragma once

#include "exokernel/abi/types.hpp"
#include "exokernel/arch/x86_64/layout.h"
#include "exokernel/core/frames.hpp"
#include "exokernel/core/multiboot2.hpp"

namespace tessera::kernel {

/// Where the kernel sees a physical address.
template <class T = u8>
T* at(PhysAddr address) { return reinterpret_cast<T*>(DIRECT_MAP + address.value); }
inline PhysAddr physical(const void* direct) { return PhysAddr{reinterpret_cast<u64>(direct) - DIRECT_MAP}; }

/// Hands out zeroed frames while there is no frame table yet: one run, from the largest region below 4 GiB.
class BootAllocator {
  public:
    void use(FrameRange range) { range_ = range; }
    /// `count` frames at a multiple of `alignment`. Panics when there are none: the machine is too small.
    FrameNumber take(u64 count, u64 alignment = 1);
    FrameRange left() const { return range_; }

  private:
    FrameRange range_;
};
extern BootAllocator boot_allocator;

/// Build the final tables and switch to them: `top` frames of RAM in the direct map, kernel text read-only in both
/// mappings. Needs the boot allocator and the first 4 GiB of the boot tables' direct map.
void build_kernel_tables(u64 top);
/// Show physical memory to every libOS, read-only, at `offset` into the information pages. `large`: in 2 MiB pages.
void publish(u64 offset, PhysAddr memory, u64 bytes, bool large);
/// Where the kernel sees a word of the information pages, which begin at kInformation; nullptr: nothing is shown there.
const u64* published(VirtAddr address);
/// Map a page of device registers uncached; the kernel address.
u64 map_device(PhysAddr registers);
/// Copy what every context shares into a root table, with or without the information pages.
void share_kernel_half(u64* root, bool information);
/// Root of the tables that map the kernel alone: for an idle CPU.
PhysAddr kernel_root();
/// The kernel address of a static object's frames, and the physical ones.
PhysAddr physical_of_image(const void* object);

extern "C" u8 kernel_end[];
/// The frames that the image occupies.
FrameRange kernel_image_frames();

}  // namespace tessera::kernel
