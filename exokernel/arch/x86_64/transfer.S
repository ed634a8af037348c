// Protected control transfer, the frequent half: from one environment into another with the registers as the message
// (exokernel/abi/transfer.hpp). What was to be checked was checked when the gate was bound; here it is only asked whether
// the callee waits for a call and whether this switch is an ordinary one. Whatever is not, goes to blocking_call with
// the message and rax as they came, and C++ finds out why: exokernel/core/transfer.cpp.
//
// rax, rcx, rdx, r11 are free to use, rdi until it gets the callee's word; nothing of the kernel's stays in any of them.
// The message is not touched, nor are the bases of FS and GS.
//
// TESSERA_UNCHECKED_TRANSFER leaves the questions out, to show what they cost: for a kernel that is only measured.

#include "exokernel/arch/x86_64/layout.h"
#include "offsets.h"

// On the main stack behind syscall_entry: the return address, the user's rip and rsp.
#define ENTERED 32
#define LEFT 8

// Charge rcx, who ran until now, and count a switch to r11.
.macro ACCOUNT
    rdtsc
    shl $32, %rdx
    or %rdx, %rax
    mov %rax, %rdx
    sub CPU(CPU_SINCE, ENTERED), %rax
    mov %rdx, CPU(CPU_SINCE, ENTERED)
    mov ENV_INFO(%rcx), %rdx
    add %rax, INFO_TICKS(%rdx)
    mov ENV_INFO(%r11), %rax
    incq INFO_SWITCHES(%rax)
.endm

// rcx goes on behind its call; from here on the stack is left.
.macro KEEP_PLACE
    add $8, %rsp
    popq ENV_RESUME_RIP(%rcx)
    popq ENV_RESUME_RSP(%rcx)
.endm

// The CPU is r11's.
.macro SWITCH
    mov %r11, CPU(CPU_ENV, LEFT)
    mov ENV_CONTEXT(%r11), %rdx
    cmp %rdx, CPU(CPU_CONTEXT, LEFT)
    je 1f
    mov %rdx, CPU(CPU_CONTEXT, LEFT)
    mov CONTEXT_ROOT(%rdx), %rdx
    mov %rdx, %cr3
1:
.endm

    .text

// rdi = gate.
.macro TRANSFER name, one_way
    .globl \name
    .balign 64
\name:
    mov CPU(CPU_ENV, ENTERED), %rcx
#ifndef TESSERA_UNCHECKED_TRANSFER
    cmp $GATE_COUNT, %rdi
    jae blocking_call
#endif
    mov ENV_GATE_CALLEE(%rcx, %rdi, 8), %r11
#ifndef TESSERA_UNCHECKED_TRANSFER
    cmpq $WAITS_FOR_CALL, ENV_CALLER(%r11)
    jne blocking_call
    cmpq $0, CPU(CPU_ATTENTION, ENTERED)
    jne blocking_call
#endif
    ACCOUNT
    incq INFO_TRANSFERS(%rdx)
    KEEP_PLACE
  .if \one_way
    mov ENV_WHEN_YIELDED(%rcx), %rax
    mov %rax, ENV_RESUME(%rcx)
    movq $0, ENV_CALLER(%r11)
  .else
    movq $RESUME_CALLING, ENV_RESUME(%rcx)
    mov %rdi, ENV_CALLED(%rcx)
    mov %rcx, ENV_CALLER(%r11)
  .endif
    SWITCH
    mov ENV_ID(%rcx), %eax
  .if \one_way
    bts $ONE_WAY_BIT, %rax
  .endif
    mov ENV_GATE_RIP(%rcx, %rdi, 8), %rdx
    mov ENV_GATE_WORD(%rcx, %rdi, 8), %rdi
    mov %rdx, %rcx
    mov ENV_RESUME_RSP(%r11), %rsp
    mov $USER_RFLAGS, %r11d
    sysretq
.endm

    TRANSFER transfer_call, 0
    TRANSFER transfer_send, 1

    .globl transfer_answer
    .balign 64
transfer_answer:
    mov CPU(CPU_ENV, ENTERED), %rcx
    mov ENV_CALLER(%rcx), %r11
    test %r11, %r11
    jz blocking_call                            // nobody waits for it
#ifndef TESSERA_UNCHECKED_TRANSFER
    cmpq $0, CPU(CPU_ATTENTION, ENTERED)
    jne blocking_call
#endif
    ACCOUNT
    KEEP_PLACE
    movq $RESUME_OPEN, ENV_RESUME(%rcx)
    movq $WAITS_FOR_CALL, ENV_CALLER(%rcx)
    SWITCH
    mov ENV_RESUME_RIP(%r11), %rcx
    mov ENV_RESUME_RSP(%r11), %rsp
    xor %eax, %eax
    xor %edx, %edx
    mov $USER_RFLAGS, %r11d
    sysretq

    .section .note.GNU-stack, "", @progbits
