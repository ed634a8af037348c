// Traps as C++ sees them, and the ways back to ring 3.
#pragma once

#include "exokernel/arch/x86_64/trap_frame.hpp"

namespace tessera::kernel {

extern "C" {
/// To ring 3 with all registers of a frame.
[[noreturn]] void resume_full(const TrapFrame* frame);
/// To ring 3 behind a system call that answers ok; every other register is zero.
[[noreturn]] void resume_yielded(u64 rip, u64 rsp);
/// Forget what is on the stack and go on there with a function that does not return.
[[noreturn]] void run_on_stack(u64 stack, void (*function)());
}

}  // namespace tessera::kernel
