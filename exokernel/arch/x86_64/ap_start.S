// Where the other CPUs begin: copied to AP_PAGE, entered in real mode by a start-up interrupt, one CPU at a time. On the
// boot tables into long mode, then to the stack and the function that cpus.cpp put behind the code.

#include "exokernel/arch/x86_64/layout.h"

#define AT(label) (label - ap_begin + AP_PAGE)

    .section .rodata.ap_start, "a"
    .balign 16
    .globl ap_begin
    .globl ap_end
    .globl ap_words
    .code16
ap_begin:
    cli
    cld
    xor %ax, %ax
    mov %ax, %ds
    lgdtl AT(ap_gdt_pointer)
    mov %cr0, %eax
    or $1, %eax
    mov %eax, %cr0
    ljmpl $0x18, $AT(ap_protected)

    .code32
ap_protected:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %cr4, %eax
    or $0x20, %eax                              // PAE
    mov %eax, %cr4
    mov AT(ap_words), %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx                       // EFER: as on the first CPU
    rdmsr
    or AT(ap_words) + 8, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80010001, %eax                        // PG, WP, PE
    mov %eax, %cr0
    ljmp $0x08, $AT(ap_long)

    .code64
ap_long:
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    mov AT(ap_words) + 16, %rsp
    xor %ebp, %ebp
    push %rbp
    jmp *AT(ap_words) + 24

    .balign 8
ap_gdt:                                         // 0x08 and 0x10 mean what they do later (descriptors.cpp)
    .quad 0
    .quad 0x00209a0000000000
    .quad 0x00cf92000000ffff
    .quad 0x00cf9a000000ffff
ap_gdt_pointer:
    .word 31
    .long AT(ap_gdt)
    .balign 8
ap_words:                                       // struct ApWords: tables, EFER, stack, entry
    .skip 32
ap_end:

    .section .note.GNU-stack, "", @progbits
