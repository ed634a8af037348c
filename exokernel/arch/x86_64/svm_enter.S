// Into a guest in a machine mode of its own, and back (APM vol. 2, 15.5).

#include "offsets.h"

    .text

// void svm_enter(GuestState*, u64 guest_block, u64 host_block): physical addresses. Interrupts are off; they come on for
// the guest's time only, as the global interrupt flag is off around it: what is pending ends that time.
// FS, GS, TR, LDTR and the MSRs of system calls are exchanged by VMSAVE and VMLOAD; rax, rsp and the rest by VMRUN.
    .globl svm_enter
svm_enter:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    push %rdx
    push %rdi
    clgi
    // Not just before VMRUN: emulators let the shadow of STI go along, and the guest's own first STI has none then.
    sti
    mov %rdx, %rax
    vmsave %rax
    mov %rsi, %rax
    vmload %rax
    mov GUEST_RBX(%rdi), %rbx
    mov GUEST_RCX(%rdi), %rcx
    mov GUEST_RDX(%rdi), %rdx
    mov GUEST_RSI(%rdi), %rsi
    mov GUEST_RBP(%rdi), %rbp
    mov GUEST_R8(%rdi), %r8
    mov GUEST_R8 + 8(%rdi), %r9
    mov GUEST_R8 + 16(%rdi), %r10
    mov GUEST_R8 + 24(%rdi), %r11
    mov GUEST_R8 + 32(%rdi), %r12
    mov GUEST_R8 + 40(%rdi), %r13
    mov GUEST_R8 + 48(%rdi), %r14
    mov GUEST_R8 + 56(%rdi), %r15
    mov GUEST_RDI(%rdi), %rdi
    vmrun %rax
    cli
    vmsave %rax
    push %rdi
    mov 8(%rsp), %rdi
    mov %rbx, GUEST_RBX(%rdi)
    mov %rcx, GUEST_RCX(%rdi)
    mov %rdx, GUEST_RDX(%rdi)
    mov %rsi, GUEST_RSI(%rdi)
    mov %rbp, GUEST_RBP(%rdi)
    mov %r8, GUEST_R8(%rdi)
    mov %r9, GUEST_R8 + 8(%rdi)
    mov %r10, GUEST_R8 + 16(%rdi)
    mov %r11, GUEST_R8 + 24(%rdi)
    mov %r12, GUEST_R8 + 32(%rdi)
    mov %r13, GUEST_R8 + 40(%rdi)
    mov %r14, GUEST_R8 + 48(%rdi)
    mov %r15, GUEST_R8 + 56(%rdi)
    popq GUEST_RDI(%rdi)
    pop %rdi
    pop %rax
    vmload %rax
    stgi
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .section .note.GNU-stack, "", @progbits
