// Switching to another environment: what every yield and every slice goes through.
//
// Hot: a directed yield is this, the entry and the exit. Nothing is saved here; what was live is with the libOS that
// yielded, or was kept by suspend() when it was interrupted.
#pragma once

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/fpu.hpp"
#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/upcalls.hpp"

namespace tessera::kernel {

/// Charge the running environment up to now.
inline void account(Cpu& cpu) {
    const u64 now = read_tsc();
    if (cpu.env != nullptr) cpu.env->info->ticks += now - cpu.since;
    cpu.since = now;
}

/// Behind a system call that answers ok, in `env`. The stack and every register but these two are given up: what
/// the kernel or another environment left in them is cleared. `has_bases`: the bases of FS and GS too.
template <bool has_bases>
[[noreturn, gnu::always_inline]] inline void return_yielded(const Environment& env) {
    // Safety: rip lies in what a libOS can bind (canonical), rsp is only a number to the kernel from here on.
#define RETURN_YIELDED(bases)                                                                                      \
    asm volatile("mov %c[rip](%[env]), %%rcx\n mov %c[rsp](%[env]), %%rsp\n mov %[flags], %%r11d\n"               \
                 "xor %%eax, %%eax\n" bases                                                                        \
                 "xor %%ebx, %%ebx\n xor %%edx, %%edx\n xor %%esi, %%esi\n xor %%edi, %%edi\n xor %%ebp, %%ebp\n"   \
                 "xor %%r8d, %%r8d\n xor %%r9d, %%r9d\n xor %%r10d, %%r10d\n xor %%r12d, %%r12d\n"                 \
                 "xor %%r13d, %%r13d\n xor %%r14d, %%r14d\n xor %%r15d, %%r15d\n sysretq"                          \
                 :                                                                                                 \
                 : [env] "r"(&env), [rip] "i"(offsetof(Environment, resume_rip)),                                  \
                   [rsp] "i"(offsetof(Environment, resume_rsp)), [flags] "i"(USER_RFLAGS)                          \
                 : "memory")
    if constexpr (has_bases)
        RETURN_YIELDED("wrfsbase %%rax\n wrgsbase %%rax\n");
    else
        RETURN_YIELDED("");
#undef RETURN_YIELDED
    __builtin_unreachable();
}

/// Where an environment goes on that leaves the CPU by a system call: behind it.
inline void leave_here(Cpu& cpu, Environment& env) {
    env.resume_rip = cpu.syscall_rip();
    env.resume_rsp = cpu.syscall_rsp();
    env.resume = env.when_yielded;
}

/// The CPU is for `next` from here on; what is left to do is to leave the kernel.
inline void switch_to(Cpu& cpu, Environment& next) {
    account(cpu);
    ++next.info->switches;
    if (cpu.attention & Cpu::kFpuLive) fpu_leave(cpu, next);
    cpu.env = &next;
    if (cpu.context != next.context) switch_context(cpu, next.context);
}

/// Run `next` from here on, for the rest of the slot. The caller has seen to what ran before.
[[noreturn]] inline void run(Cpu& cpu, Environment& next) {
    switch_to(cpu, next);
    if (next.resume != Resume::yielded) resume(next);
    if (cpu.attention & Cpu::kNoBases) return_yielded<false>(next);
    return_yielded<true>(next);
}

/// The same from a running environment, when nothing needs attention and `next` had yielded too: straight through.
[[noreturn, gnu::always_inline]] inline void run_straight(Cpu& cpu, Environment& last, Environment& next) {
    const u64 now = read_tsc();
    last.info->ticks += now - cpu.since;
    cpu.since = now;
    ++next.info->switches;
    cpu.env = &next;
    if (cpu.context != next.context) {
        cpu.context = next.context;
        write_cr3(next.context->root);
    }
    return_yielded<true>(next);
}

}  // namespace tessera::kernel
