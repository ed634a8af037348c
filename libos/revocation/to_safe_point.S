// The program comes by here on its way back from an upcall, with all its registers and on its own stack; it goes on at
// libos_program_rip. The stack is laid out as for libos_redirected (libos/core/upcall.S), which keeps all registers.
    .section .text.libos_to_safe_point, "ax"
    .global libos_to_safe_point
    .type libos_to_safe_point, @function
libos_to_safe_point:
    lea -128(%rsp), %rsp
    pushq libos_program_rip
    pushfq
    movq $0, libos_program_rip
    cld
    pushq $libos_safe_point
    jmp libos_redirected
    .size libos_to_safe_point, . - libos_to_safe_point

    .section .note.GNU-stack, "", @progbits
