// Where a companion begins, and its page faults: as upcall.S, but the save area and the upcall stack are found by the record.
//
//   one run of guaranteed pages:   save area | stack, downwards from the end
#define RIP 0
#define RFLAGS 8
#define RSP 16
#define RAX 48
#define RCX 56
#define RDX 64
#define SCRATCH 72
#define USER_CODE 0x23
#define USER_DATA 0x1b
#define PAGES_SIZE 0x4000

    .section .text.libos_companion_start, "ax"
    .global libos_companion_start
    .type libos_companion_start, @function
libos_companion_start:
    mov (%rdi), %rsp
    xor %ebp, %ebp
    call libos_companion_main
    ud2
    .size libos_companion_start, . - libos_companion_start

    .section .text.libos_companion_fault, "ax"
    .global libos_companion_fault
    .type libos_companion_fault, @function
libos_companion_fault:
    mov %rdi, SCRATCH(%rax)
    mov %rsi, SCRATCH + 8(%rax)
    mov %r8, SCRATCH + 16(%rax)
    mov %r9, SCRATCH + 24(%rax)
    mov %r10, SCRATCH + 32(%rax)
    mov %r11, SCRATCH + 40(%rax)
    mov %rax, %rdi
    mov %rax, %rcx
    and $-0x1000, %rcx              // the save area
    mov %rsp, %rdx
    sub %rcx, %rdx
    cmp $PAGES_SIZE, %rdx
    jb 1f                           // on the upcall stack already
    lea PAGES_SIZE(%rcx), %rsp
1:  sub $144, %rsp
    and $-16, %rsp
    push %rcx
    push %rdi
    call libos_companion_resolve
    pop %rdi
    pop %rcx
    mov SCRATCH + 8(%rdi), %rsi
    mov SCRATCH + 16(%rdi), %r8
    mov SCRATCH + 24(%rdi), %r9
    mov SCRATCH + 32(%rdi), %r10
    mov SCRATCH + 40(%rdi), %r11
    push $USER_DATA
    push RSP(%rdi)
    push RFLAGS(%rdi)
    push $USER_CODE
    push RIP(%rdi)
    push %rcx
    mov RAX(%rdi), %rax
    mov RCX(%rdi), %rcx
    mov RDX(%rdi), %rdx
    mov SCRATCH(%rdi), %rdi
    // Order: depth goes down last; the record is not needed any more.
    xchg %rax, (%rsp)
    decl (%rax)
    pop %rax
    iretq
    .size libos_companion_fault, . - libos_companion_fault

    .section .note.GNU-stack, "", @progbits
