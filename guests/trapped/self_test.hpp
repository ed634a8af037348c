// The machine's tests of itself: each relies on one instruction or device to do what the manual says. They pass on the bare machine;
// what a monitor gets wrong, or an instruction that silently does something else in ring 3, fails by name.
#pragma once

#include "guests/small/types.hpp"

namespace small::trapped {

/// Breakpoint exceptions that came from the kernel itself.
extern volatile u64 breakpoints;
/// Debug exceptions that came from there.
extern volatile u64 steps;

}  // namespace small::trapped
