// A kernel invariant does not hold: say everything that is known, and leave QEMU with a code of its own.
#pragma once

#include "exokernel/arch/x86_64/trap_frame.hpp"

namespace tessera::kernel {

[[noreturn]] void panic(const char* what);
/// With the registers and the backtrace of the trap that should not have been.
[[noreturn]] void panic_in_trap(const char* what, const TrapFrame& frame);

/// For invariants of the kernel only: none may depend on what a libOS controls.
#define ASSERT(condition)                                               \
    do {                                                                \
        if (!(condition)) [[unlikely]]                                  \
            ::tessera::kernel::panic("invariant broken: " #condition);  \
    } while (false)

}  // namespace tessera::kernel
