// Upcalls from C++: the kinds that are too rare for assembly (exceptions and page faults are delivered in entry.S).
#pragma once

#include "exokernel/abi/upcalls.hpp"
#include "exokernel/arch/x86_64/trap_frame.hpp"

namespace tessera::kernel {

struct Environment;

/// Change `frame` so that it goes on at the libOS's entry point for `kind`, with the old state in a save record.
/// False: not wanted, or no record left, and nothing has changed.
bool deliver_upcall(Environment& env, TrapFrame& frame, UpcallKind kind, u64 error = 0, u64 address = 0);

/// Keep everything: the environment was interrupted and somebody else runs now.
void suspend(Environment& env, const TrapFrame& frame);

/// Go on where it stopped, through its slice_begin entry if it has one.
[[noreturn]] void resume(Environment& env);
/// The same with all registers in its frame and without a word: a call or an answer is no new slice.
[[noreturn]] void resume_quietly(Environment& env);

}  // namespace tessera::kernel
