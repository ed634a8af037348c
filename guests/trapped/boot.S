// Two ways in, one way on: to trapped_start(what, where) in long mode, on this kernel's stack.
//
//   kernel_entry  by the Linux 64-bit protocol (Documentation/x86/boot.rst): long mode, memory identity-mapped, rsi = boot_params
//   boot_32       by multiboot 1: 32-bit protected mode, paging off, eax = magic, ebx = information

#define MULTIBOOT_MAGIC 0x1badb002
#define MULTIBOOT_FLAGS 0x00010003              // page-aligned modules, memory information, addresses below

    .section .multiboot, "a"
    .balign 4
multiboot:
    .long MULTIBOOT_MAGIC
    .long MULTIBOOT_FLAGS
    .long -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)
    .long multiboot                             // The addresses make a loader take the file as it lies, 64-bit ELF or not.
    .long image_begin
    .long image_file_end
    .long image_end
    .long boot_32

    .text
    .code32
boot_32:
    cli
    cld
    mov $boot_stack_top, %esp
    mov %eax, %edi
    mov %ebx, %esi
    mov $0x80000001, %eax                       // Long mode, or stop.
    cpuid
    bt $29, %edx
1:  jnc 1b

    // The first GiB identity-mapped: what trapped_start makes again, in the same tables.
    movl $boot_pdpt + 3, boot_pml4
    movl $boot_pd + 3, boot_pdpt
    mov $boot_pd, %ebx
    mov $0x83, %eax                             // present, writable, 2 MiB
    mov $512, %ecx
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
    mov $0xc0000080, %ecx                       // EFER: long mode
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000001, %eax                        // PG, PE
    mov %eax, %cr0
    lgdt boot_gdt_pointer
    ljmp $0x08, $boot_common

    .code64
    .globl kernel_entry
kernel_entry:
    cli
    cld
    mov $boot_stack_top, %esp
    xor %edi, %edi                              // not multiboot's magic
boot_common:
    xor %ebp, %ebp
    push %rbp
    jmp trapped_start

    .section .data
    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00209a0000000000
boot_gdt_pointer:
    .word 15
    .long boot_gdt

    .section .bss
    .balign 4096
    .globl boot_pml4, boot_pdpt, boot_pd
boot_pml4:
    .skip 4096
boot_pdpt:
    .skip 4096
boot_pd:
    .skip 4096
    .skip 8192
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
