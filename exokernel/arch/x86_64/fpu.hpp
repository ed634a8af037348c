// The FPU and SSE registers belong to the environment that used them last; they are exchanged when another touches
// them (CR0.TS, SDM vol. 3, 13.4), so switching costs nothing while only one computes, and nothing leaks.
#pragma once

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"

namespace tessera::kernel {

/// If the registers are live: whoever runs next traps on its first use, their owner too.
inline void fpu_close(Cpu& cpu) {
    cpu.attention &= ~Cpu::kFpuLive;
    write_cr0(read_cr0() | cr0::kTaskSwitched);
}

/// Before `next` runs, if the registers are live: whoever does not own them must trap on its first use.
inline void fpu_leave(Cpu& cpu, Environment& next) {
    if (cpu.fpu_owner != &next) fpu_close(cpu);
}

/// On this CPU: switch the FPU on, owned by nobody.
void start_fpu(Cpu& cpu);
/// The running environment touched them: exchange.
void fpu_enter(Cpu& cpu);
/// Keep what the registers hold with its owner, and leave them to nobody.
void fpu_store(Cpu& cpu);
/// What a new environment finds in its registers.
void fpu_reset(Environment& env);
/// The environment is no more.
void fpu_forget(Environment& env);

}  // namespace tessera::kernel
