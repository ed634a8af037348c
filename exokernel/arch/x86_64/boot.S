// From GRUB's hand-over (multiboot2: 32-bit protected mode, paging off, eax = magic, ebx = information) to
// kernel_main in long mode in the higher half, on the first CPU's own stack.
// The tables built here map the first 4 GiB twice (identity and direct map) and the image; kernel_memory.cpp
// replaces them by W^X ones.

#include "exokernel/arch/x86_64/layout.h"
#include "offsets.h"

#define COM1 0x3f8
#define DEBUG_EXIT 0xf4                         // QEMU's isa-debug-exit

    .section .multiboot2, "a"
    .balign 8
header:
    .long 0xe85250d6                            // magic
    .long 0                                     // i386 protected mode
    .long header_end - header
    .long -(0xe85250d6 + 0 + (header_end - header))
    .balign 8                                   // information request: memory map, modules are always given
    .word 1, 0
    .long 12
    .long 6
    .balign 8
    .word 6, 0                                  // modules page-aligned
    .long 8
    .balign 8
    .word 0, 0
    .long 8
header_end:

    .section .boot.text, "ax"
    .code32
    .globl boot_entry
boot_entry:
    cli
    cld
    mov %eax, %edi                              // magic
    mov %ebx, %esi                              // information
    rdtsc
    mov %eax, boot_tsc
    mov %edx, boot_tsc + 4
    mov $boot_stack_top, %esp

    mov $0x80000000, %eax                       // long mode and NX, or a message
    push %esi
    push %edi
    cpuid
    cmp $0x80000001, %eax
    jb no_long_mode
    mov $0x80000001, %eax
    cpuid
    bt $29, %edx
    jnc no_long_mode
    bt $20, %edx
    jnc no_nx
    pop %edi
    pop %esi

    // PML4: slot 0 and 256 to the same 4 GiB, slot 511 to the image.
    movl $boot_pdpt + 3, boot_pml4
    movl $boot_pdpt + 3, boot_pml4 + 256 * 8
    movl $boot_pdpt_high + 3, boot_pml4 + 511 * 8
    movl $boot_pd + 3, boot_pdpt
    movl $boot_pd + 0x1003, boot_pdpt + 8
    movl $boot_pd + 0x2003, boot_pdpt + 16
    movl $boot_pd + 0x3003, boot_pdpt + 24
    movl $boot_pd + 3, boot_pdpt_high + 510 * 8
    mov $boot_pd, %ebx
    mov $0x83, %eax                             // present, writable, 2 MiB
    mov $2048, %ecx
1:  mov %eax, (%ebx)
    add $0x200000, %eax
    add $8, %ebx
    dec %ecx
    jnz 1b

    mov %cr4, %eax
    or $0x20, %eax                              // PAE
    mov %eax, %cr4
    mov $boot_pml4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx                       // EFER: long mode, NX
    rdmsr
    or $0x900, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80010001, %eax                        // PG, WP, PE
    mov %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $0x08, $boot_long

no_long_mode:
    mov $no_long_mode_text, %esi
    jmp refuse
no_nx:
    mov $no_nx_text, %esi
refuse:
    mov $COM1, %edx
    lodsb
    test %al, %al
    jz 1f
    outb %al, %dx
    jmp refuse
1:  mov $EXIT_REFUSED, %al
    mov $DEBUG_EXIT, %edx
    outb %al, %dx
2:  hlt
    jmp 2b

    .code64
boot_long:
    mov $0x10, %eax
    mov %eax, %ss
    mov %eax, %ds
    mov %eax, %es
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    movabs $cpu_blocks + CPU_STACK_TOP, %rsp
    mov boot_tsc, %rdx                          // third argument
    xor %ebp, %ebp
    push %rbp
    movabs $kernel_main, %rax
    jmp *%rax

    .section .boot.data, "aw"
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00209a0000000000
    .quad 0x0000920000000000
boot_gdt_pointer:
    .word 23
    .long boot_gdt
    .balign 8
boot_tsc:
    .quad 0
no_long_mode_text:
    .asciz "[tessera] cannot run: this CPU has no long mode, an x86-64 CPU is needed\r\n"
no_nx_text:
    .asciz "[tessera] cannot run: this CPU has no NX, so whatever is data could be executed\r\n"
    .balign 16
    .skip 256
boot_stack_top:
    .balign 4096
    .globl boot_pml4
boot_pml4:
    .skip 4096
boot_pdpt:
    .skip 4096
boot_pdpt_high:
    .skip 4096
boot_pd:
    .skip 4 * 4096

    .section .note.GNU-stack, "", @progbits
