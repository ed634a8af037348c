// From the CPU into C++ and back. Both ways in leave the same TrapFrame (guests/small/trap_frame.hpp) on the kernel
// stack. GS is the kernel's in the kernel, the program's outside: SWAPGS at each border.

#include "guests/small/trap_stubs.inc"

#define CPU_KERNEL_STACK 0                      // struct Cpu, descriptors.hpp
#define CPU_USER_RSP 8
#define FRAME_CS 18 * 8
#define KERNEL_VECTORS 48

    .macro push_registers
    push %rax
    push %rbx
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    .endm

    .macro pop_registers
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rbp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rbx
    pop %rax
    .endm

    .text
    .globl trap_stubs
    .balign 16
trap_stubs:
    TRAP_STUBS KERNEL_VECTORS, trap

trap:
    push_registers
    testb $3, FRAME_CS(%rsp)
    jz 1f
    swapgs
1:  cld
    mov %rsp, %rdi
    call trapped_trap
return_from_trap:
    testb $3, FRAME_CS(%rsp)
    jz 1f
    swapgs
1:  pop_registers
    add $16, %rsp
    iretq

    .globl trapped_enter_user                   // (TrapFrame*)
trapped_enter_user:
    mov %rdi, %rsp
    jmp return_from_trap

// SYSCALL: rip in rcx, flags in r11, interrupts off by SFMASK, still on the program's stack.
    .globl system_call_entry
system_call_entry:
    swapgs
    mov %rsp, %gs:CPU_USER_RSP
    mov %gs:CPU_KERNEL_STACK, %rsp
    push $0x23                                  // kUserData
    push %gs:CPU_USER_RSP
    push %r11
    push $0x2b                                  // kUserCode
    push %rcx
    push $0
    push $0x80                                  // No vector of the CPU's.
    push_registers
    cld
    mov %rsp, %rdi
    sti
    call trapped_system_call
    cli
    swapgs
    pop_registers
    mov 2 * 8(%rsp), %rcx                       // rip: below kUserEnd, or there was no page to execute SYSCALL on
    mov 4 * 8(%rsp), %r11
    mov 5 * 8(%rsp), %rsp
    sysretq

    .section .note.GNU-stack, "", @progbits
