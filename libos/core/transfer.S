// Into another environment and back, and the way in for those who come here (exokernel/abi/transfer.hpp). The registers are
// the message, so what crosses is moved between them and a Message (libos/transfer/message.hpp), which lies so:
//
//   +0    +8    +16   +24   +32   +40   +48   +56   +64   +72   +80
//   rsi   rbx   rbp   r8    r9    r10   r12   r13   r14   r15   rdi, in an answer
//
// All of them are loaded every time: what the compiler left in a register is nobody else's business.

#include "libos/core/call_saved.inc"

#define ANSWER 32

.macro load_message from
    mov 8(\from), %rbx
    mov 16(\from), %rbp
    mov 24(\from), %r8
    mov 32(\from), %r9
    mov 40(\from), %r10
    mov 48(\from), %r12
    mov 56(\from), %r13
    mov 64(\from), %r14
    mov 72(\from), %r15
.endm
.macro store_message to
    mov %rsi, (\to)
    mov %rbx, 8(\to)
    mov %rbp, 16(\to)
    mov %r8, 24(\to)
    mov %r9, 32(\to)
    mov %r10, 40(\to)
    mov %r12, 48(\to)
    mov %r13, 56(\to)
    mov %r14, 64(\to)
    mov %r15, 72(\to)
.endm

// Error libos_transfer(u64 gate, Message* message, u64 number): `call` or `send`. The message becomes the answer, or is
// left as it was when there is none.  Cost: 44 instructions around the kernel's.
    .section .text.libos_transfer, "ax", @progbits
    .global libos_transfer
    .type libos_transfer, @function
libos_transfer:
    push_call_saved
    push %rsi
    mov %edx, %eax
    load_message %rsi
    mov (%rsi), %rsi
    syscall
    pop %rdx
    test %rax, %rax
    jnz 1f
    store_message %rdx
    mov %rdi, 80(%rdx)
1:  pop_call_saved
    ret
    .size libos_transfer, . - libos_transfer

// Where a call comes in: rax = Sender, rdi = the word that was published, which is the Service, on the stack that was
// waited on. A Service begins with its handler: void (Service&, Sender, Message&).  Cost: 30 instructions around it.
    .section .text.libos_entry, "ax", @progbits
    .global libos_entry
    .type libos_entry, @function
libos_entry:
    sub $96, %rsp
    store_message %rsp
    movq $0, 80(%rsp)
    mov %rax, %rsi
    mov %rsp, %rdx
    call *(%rdi)
    load_message %rsp
    mov (%rsp), %rsi
    mov 80(%rsp), %rdi
    add $96, %rsp
    mov $ANSWER, %eax
    syscall
    jmp libos_serve
    .size libos_entry, . - libos_entry

// void libos_serve(): wait for calls, for good. `answer` comes back only when an upcall interrupted the waiting. The stack
// that is waited on is aligned as in front of a call.
    .section .text.libos_serve, "ax", @progbits
    .global libos_serve
    .type libos_serve, @function
libos_serve:
    and $-16, %rsp
1:  mov $ANSWER, %eax
    syscall
    jmp 1b
    .size libos_serve, . - libos_serve

    .section .note.GNU-stack, "", @progbits
