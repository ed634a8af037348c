// What loaders agree on about a guest's first megabyte, and the segments that a kernel is started with.
#pragma once

#include "libos/vmm/boot/start.hpp"
#include "libos/vmm/guest_memory.hpp"

namespace tessera::vmm {

inline constexpr u64 kLowMemoryEnd =
    0x9'fc00;  ///< Of what a kernel may use below 1 MiB (as a PC's firmware leaves it).
inline constexpr u64 kHighMemory = 0x10'0000;
inline constexpr u64 kMostFrames = u64{3} << 18;   ///< 3 GiB.
inline constexpr u64 kFewestFrames = u64{2} << 8;  ///< 2 MiB.

inline constexpr u64 kBootGdt = 0x1000;
inline constexpr u64 kBootTables = 0x2000;
inline constexpr u64 kBootInfo = 0x8000;  ///< boot_params, or what multiboot hands over.
inline constexpr u64 kBootText = 0x9000;  ///< Command lines: a page.

/// Null, or why no kernel can be loaded into a guest of this size.
const char* check_size(const GuestMemory& memory);

/// A GDT with code at 10h (64-bit or 32-bit) and data at 18h, and registers that hold them.
bool write_segments(GuestMemory& memory, bool long_mode, StartState& state);

}  // namespace tessera::vmm
