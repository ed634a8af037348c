// From a frame to its bindings and from a binding to its context: what everybody needs who follows the lists of the
// back-map (stlb/stlb.hpp) through the kernel's own tables.
#pragma once

#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/core/context.hpp"
#include "exokernel/core/kernel.hpp"
#include "stlb/stlb.hpp"

namespace tessera::kernel {

/// Entries are named by their place in physical memory.
inline BackMap back_map() { return BackMap{at<std::byte>(PhysAddr{0}), frames.table()}; }

/// An entry lies in a frame that is charged to its context.
inline Context& context_of(const StlbEntry& entry) {
    return *context_at(u64{frames.info(frame_of(physical(&entry))).context} - 1);
}

/// The first frame of the 2 MiB around a frame: at its head is the list of the 2 MiB bindings.
inline FrameNumber block_of(FrameNumber frame) { return FrameNumber{frame.value & ~(kPagesPerLarge - 1)}; }

}  // namespace tessera::kernel
