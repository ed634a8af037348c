// void libos_switch_thread(u64* save_rsp, u64 rsp): leave one thread, go on in another. What a C++ function
// may clobber its caller has saved already; the rest goes on the stack.
    .text
    .section .text.libos_switch_thread, "ax", @progbits
    .global libos_switch_thread
    .type libos_switch_thread, @function
libos_switch_thread:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, (%rdi)
    mov %rsi, %rsp
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .size libos_switch_thread, . - libos_switch_thread

    .section .note.GNU-stack, "", @progbits
