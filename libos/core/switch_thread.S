// void libos_switch_thread(u64* save_rsp, u64 rsp): leave one thread, go on in another. What a C++ function
// may clobber its caller has saved already; the rest goes on the stack.
#include "libos/core/call_saved.inc"

    .text
    .section .text.libos_switch_thread, "ax", @progbits
    .global libos_switch_thread
    .type libos_switch_thread, @function
libos_switch_thread:
    push_call_saved
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop_call_saved
    ret
    .size libos_switch_thread, . - libos_switch_thread

    .section .note.GNU-stack, "", @progbits
