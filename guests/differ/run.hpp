// One sequence, from its first instruction to its end, and every exception on the way.
#pragma once

#include "guests/differ/generate.hpp"
#include "guests/differ/world.hpp"

namespace differ {

/// What entry.S keeps of an interrupted sequence: pushed by it and the CPU, lowest address first.
struct Frame {
    u64 registers[15];  ///< r15 down to r8, rdi, rsi, rbp, rbx, rdx, rcx, rax
    u64 vector, error, rip, cs, rflags, rsp, ss;
};
static_assert(sizeof(Frame) == 22 * 8, "entry.S");

/// Run what `code` holds, beginning as `begin` says. The observer is told of each exception, then of the registers.
void run_sequence(const Begin& begin, const Code& code, Observer& observer);

}  // namespace differ
