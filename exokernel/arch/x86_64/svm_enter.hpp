// Into a guest in a machine mode of its own, and back (APM vol. 2, 15.5).
#pragma once

#include "exokernel/abi/guest.hpp"

namespace tessera::kernel {

/// Both blocks by their physical addresses. Interrupts are off; they come on for the guest's time only, as the global
/// interrupt flag is off around it: what is pending ends that time. FS, GS, TR, LDTR and the MSRs of system calls are
/// exchanged by VMSAVE and VMLOAD; rax, rsp and the rest by VMRUN.  Hot: inlined, so that what the compiler keeps in
/// registers across a call is saved once.
[[gnu::always_inline]] inline void svm_enter(GuestState& state, u64 guest_block, u64 host_block) {
#define AT(member) [member] "i"(offsetof(GuestState, member))
    // Safety: every register but rsp is given back or named below; rbp, which cannot be named, is given back here.
    asm volatile(R"(
        push %%rbp
        push %%rax
        push %%rdi
        clgi
        # Not just before VMRUN: emulators let the shadow of STI go along, and the guest's own first STI has none then.
        sti
        vmsave %%rax
        mov %%rsi, %%rax
        vmload %%rax
        mov %c[rbx](%%rdi), %%rbx
        mov %c[rcx](%%rdi), %%rcx
        mov %c[rdx](%%rdi), %%rdx
        mov %c[rsi](%%rdi), %%rsi
        mov %c[rbp](%%rdi), %%rbp
        mov %c[r8](%%rdi), %%r8
        mov %c[r9](%%rdi), %%r9
        mov %c[r10](%%rdi), %%r10
        mov %c[r11](%%rdi), %%r11
        mov %c[r12](%%rdi), %%r12
        mov %c[r13](%%rdi), %%r13
        mov %c[r14](%%rdi), %%r14
        mov %c[r15](%%rdi), %%r15
        mov %c[rdi](%%rdi), %%rdi
        vmrun %%rax
        cli
        vmsave %%rax
        push %%rdi
        mov 8(%%rsp), %%rdi
        mov %%rbx, %c[rbx](%%rdi)
        mov %%rcx, %c[rcx](%%rdi)
        mov %%rdx, %c[rdx](%%rdi)
        mov %%rsi, %c[rsi](%%rdi)
        mov %%rbp, %c[rbp](%%rdi)
        mov %%r8, %c[r8](%%rdi)
        mov %%r9, %c[r9](%%rdi)
        mov %%r10, %c[r10](%%rdi)
        mov %%r11, %c[r11](%%rdi)
        mov %%r12, %c[r12](%%rdi)
        mov %%r13, %c[r13](%%rdi)
        mov %%r14, %c[r14](%%rdi)
        mov %%r15, %c[r15](%%rdi)
        popq %c[rdi](%%rdi)
        pop %%rdi
        pop %%rax
        vmload %%rax
        stgi
        pop %%rbp
        )"
        : "+a"(host_block), "+S"(guest_block)
        : "D"(&state), AT(rbx), AT(rcx), AT(rdx), AT(rsi), AT(rdi), AT(rbp), AT(r8), AT(r9), AT(r10), AT(r11), AT(r12), AT(r13),
          AT(r14), AT(r15)
        : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory");
#undef AT
}

}  // namespace tessera::kernel
