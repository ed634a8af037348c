// Into a sequence, and out of it again by an exception or SYSCALL. All vectors have a stack of their own (IST 1), as a
// sequence's is its own affair.

#include "guests/small/trap_stubs.inc"

#define VECTORS 0x30

    .text
    .globl differ_stubs
    .balign 16
differ_stubs:
    TRAP_STUBS VECTORS, caught

// SYSCALL: it goes on in ring 0, as the CPU would have it.
    .globl differ_system_call
differ_system_call:
    mov %rsp, interrupted_stack
    mov $differ_trap_stack_top, %rsp
    push $0x10
    push interrupted_stack
    pushfq
    push $0x08
    push %rcx
    push $0
    push $0x80

caught:
    push %rax
    push %rcx
    push %rdx
    push %rbx
    push %rbp
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    cld
    mov %rsp, %rdi
    call differ_caught                          // (Frame*): does the sequence go on?
    test %al, %al
    jz finished
resume:
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rbp
    pop %rbx
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

    .globl differ_enter                         // (Frame*): comes back when differ_caught answers no
differ_enter:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, own_stack
    mov %rdi, %rsp
    jmp resume

finished:
    mov own_stack, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    .section .bss
    .balign 8
own_stack:
    .skip 8
interrupted_stack:
    .skip 8
    .balign 16
    .skip 8192
    .globl differ_trap_stack_top
differ_trap_stack_top:

    .section .note.GNU-stack, "", @progbits
