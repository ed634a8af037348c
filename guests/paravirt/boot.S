// The one piece of assembly of the paravirtual form: the way in, and the note that says what kind of kernel this is.

    .text
    .globl kernel_entry
kernel_entry:                                   // rdi = StartInformation
    mov $boot_stack_top, %esp
    xor %ebp, %ebp
    push %rbp
    jmp paravirt_start

    .section .note.tessera, "a", @note
    .balign 4
    .long 8, 4, 1                               // sizes of name and version; kNoteType
    .asciz "Tessera"
    .long 1                                     // kVersion

    .bss
    .balign 16
    .skip 8192
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
