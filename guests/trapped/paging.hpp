// The kernel's part of every address space: memory where it lies, for the kernel alone.
#pragma once

#include "guests/small/types.hpp"

namespace small::trapped {

inline constexpr u64 kMappedEnd = u64{1} << 30;

/// The kernel's own tables, loaded, with what the kernel needs of CR0, CR4 and EFER. No-execute must be there.
void start_paging();

}  // namespace small::trapped
