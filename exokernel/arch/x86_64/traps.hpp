// Traps as C++ sees them, and the ways back to ring 3.
#pragma once

#include "exokernel/arch/x86_64/trap_frame.hpp"

namespace tessera::kernel {

/// To ring 3 with all registers of a frame.
extern "C" [[noreturn]] void resume_full(const TrapFrame* frame);

/// What trap code does not settle by itself. What returns goes on with the frame.
extern "C" void on_trap(TrapFrame& frame);

}  // namespace tessera::kernel
