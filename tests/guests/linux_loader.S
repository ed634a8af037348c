// Starts an image as a monitor does by Linux's 64-bit boot protocol (Documentation/x86/boot.rst), on QEMU alone: QEMU boots this one by
// multiboot and lays the other one's segments into memory (-device loader). Its entry comes as the command line, in
// hexadecimal; what it is told is TESTED_LINE.

#define MAGIC 0x1badb002
#define FLAGS 0x00010003
#define RAM_END 0x3000000                       // Below this loader.

    .section .text
    .balign 4
header:
    .long MAGIC, FLAGS, -(MAGIC + FLAGS)
    .long header, header, file_end, end, start

    .code32
    .globl start
start:
    cli
    mov $stack_top, %esp
    mov 16(%ebx), %esi                          // "file entry": what follows the last space
    xor %edi, %edi
1:  lodsb
    test %al, %al
    jz 3f
    cmp $' ', %al
    jne 2f
    xor %edi, %edi
    jmp 1b
2:  sub $'0', %al
    cmp $10, %al
    jb 4f
    sub $'a' - '0' - 10, %al
4:  movzx %al, %eax
    shl $4, %edi
    add %eax, %edi
    jmp 1b
3:  mov %edi, entry

    movl $pdpt + 3, pml4                        // 4 GiB, identity-mapped by 2 MiB pages
    mov $pdpt, %edi
    mov $pd + 3, %eax
    mov $4, %ecx
1:  mov %eax, (%edi)
    add $0x1000, %eax
    add $8, %edi
    dec %ecx
    jnz 1b
    mov $pd, %edi
    mov $0x83, %eax
    mov $2048, %ecx
1:  mov %eax, (%edi)
    add $0x200000, %eax
    add $8, %edi
    dec %ecx
    jnz 1b
    mov $0x20, %eax
    mov %eax, %cr4
    mov $pml4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x100, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80000001, %eax
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $0x10, $long_mode

    .code64
long_mode:
    mov $0x18, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    movb $2, boot_params + 0x1e8                // e820: two runs
    movq $0, boot_params + 0x2d0
    movq $0x9fc00, boot_params + 0x2d8
    movl $1, boot_params + 0x2e0
    movq $0x100000, boot_params + 0x2e4
    movq $RAM_END - 0x100000, boot_params + 0x2ec
    movl $1, boot_params + 0x2f4
    movl $line, boot_params + 0x228
    movl $0x2f00000, boot_params + 0x218        // a ramdisk that is not to be written on
    movl $0x1000, boot_params + 0x21c
    mov $boot_params, %esi
    mov entry, %eax
    jmp *%rax

    .balign 8
gdt:
    .quad 0, 0, 0x00209a0000000000, 0x0000920000000000
gdt_pointer:
    .word 31
    .long gdt
entry:
    .long 0
line:
    .asciz TESTED_LINE
file_end:

    .bss
    .balign 4096
pml4:
    .skip 4096
pdpt:
    .skip 4096
pd:
    .skip 4 * 4096
boot_params:
    .skip 4096
    .skip 4096
stack_top:
end:
    .section .note.GNU-stack, "", @progbits
