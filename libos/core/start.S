// The first instructions of a libOS: rdi = BootInfo, no stack, everything of the image bound.
//
// Until the upcall entries are registered a miss would end the environment, so what runs until then stands
// on guaranteed memory only: the upcall stack serves as the first stack. The program gets its own.
    .section .text.libos_start, "ax"
    .global libos_start
    .type libos_start, @function
libos_start:
    lea libos_upcall_stack_base, %rsp
    movq $0x1b, (%rsp)                          // USER_DATA, for good: upcall.S
    xor %ebp, %ebp
    call libos_register
    lea libos_main_stack_top, %rsp
    xor %ebp, %ebp
    call libos_run_program
    ud2
    .size libos_start, . - libos_start

    .section .libos_main_stack, "aw", @nobits
    .balign 4096
    .skip 65536
libos_main_stack_top:

    .section .note.GNU-stack, "", @progbits
