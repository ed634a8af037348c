// From the kernel's delivery to the C++ handler and back to what was interrupted. No system call.
//
// Delivered with: rax = SaveRecord; rax, rcx, rdx saved there; all other registers live; rsp unmoved.
// Which stack: the upcall stack from its top, or, when the upcall came while on it, 128 bytes further down
// (a red zone's length). An overflowed rsp is not on it any more: then its top, to say what happened.
//
//   light     rdi only; the handler keeps every register (LIBOS_HANDLER).            18 instructions around it
//   full      all that a C++ function may clobber; for handlers that make calls.     29 instructions around it
//   straight  as full, for page faults that do not come while an upcall is handled,
//             where both the record and the stack are known.                         28 instructions around it
//
// What a handler stands on is the last word of the frame to resume by, USER_DATA: at the top of the stack it is written once
// (start.S), and nothing goes over it.
//
// Order: `depth` goes down last. An upcall between that and iretq takes the same record, which nobody needs
// any more, and leaves the iretq frame alone, as it stays below an rsp that is on the upcall stack.

#define RIP 0
#define RFLAGS 8
#define RSP 16
#define RAX 48
#define RCX 56
#define RDX 64
#define SCRATCH 72
#define FIRST_RECORD libos_save_area + 128

#define USER_CODE 0x23
#define USER_DATA 0x1b
#define STACK_SIZE 16384
// libos_upcall_stack_negated is minus the stack's address (libos.ld): the distance from it in one instruction.

.macro choose_stack
    lea libos_upcall_stack_negated(%rsp), %rcx
    cmp $STACK_SIZE, %rcx
    jb 1f
    mov $libos_upcall_stack_base, %esp
2:
    .subsection 1
1:  sub $144, %rsp
    and $-16, %rsp
    movq $USER_DATA, (%rsp)
    jmp 2b
    .previous
.endm

// What a call into the kernel or into C++ loses, but for rdi: to and from the record that \at(\base) is.
.macro keep at=0, base
    mov %rsi, \at + SCRATCH + 8\base
    mov %r8, \at + SCRATCH + 16\base
    mov %r9, \at + SCRATCH + 24\base
    mov %r10, \at + SCRATCH + 32\base
    mov %r11, \at + SCRATCH + 40\base
.endm
.macro put_back at=0, base
    mov \at + SCRATCH + 8\base, %rsi
    mov \at + SCRATCH + 16\base, %r8
    mov \at + SCRATCH + 24\base, %r9
    mov \at + SCRATCH + 32\base, %r10
    mov \at + SCRATCH + 40\base, %r11
.endm

// rdi goes last: it may be the base. From the last push on, where it goes is on the stack, and not the record's to say any
// more: libos_resumes tells where that is so (safe_point.cpp).
    .section .rodata.libos_resumes, "a", @progbits
    .global libos_resumes
    .balign 8
libos_resumes:

.macro resume at=0, base
    push \at + RSP\base
    push \at + RFLAGS\base
    push $USER_CODE
    push \at + RIP\base
77: mov \at + RAX\base, %rax
    mov \at + RCX\base, %rcx
    mov \at + RDX\base, %rdx
    mov \at + SCRATCH\base, %rdi
    decl libos_save_area
78: iretq
    .pushsection .rodata.libos_resumes, "a", @progbits
    .quad 77b, 78b
    .popsection
.endm

.macro entry name
    .section .text.libos_upcall_\name, "ax"
    .global libos_upcall_\name
    .type libos_upcall_\name, @function
libos_upcall_\name:
.endm

.macro light name, kind
    entry \name
    mov %rdi, SCRATCH(%rax)
    choose_stack
    mov %rax, %rdi
    call *libos_handlers + 8 * \kind
    resume base=(%rdi)
    .size libos_upcall_\name, . - libos_upcall_\name
.endm

.macro full name, kind
    entry \name
    mov %rdi, SCRATCH(%rax)
    choose_stack
    keep base=(%rax)
    mov %rax, 8(%rsp)
    mov %rax, %rdi
    call *libos_handlers + 8 * \kind
    mov 8(%rsp), %rdi
    put_back base=(%rdi)
    resume base=(%rdi)
    .size libos_upcall_\name, . - libos_upcall_\name
.endm

    full page_fault, 0
    light exception, 1
    light slice_begin, 2
    light slice_end, 3
    light unknown_syscall, 4
    full revoke, 5
    full repossessed, 6

// At depth 1 the record is the first one, and nothing on the upcall stack is needed any more: an iretq frame might be,
// but what is touched from `decl` to the end of iretq is guaranteed, so no page fault comes in between.
    entry page_fault_straight
    cmpl $1, libos_save_area
    jne libos_upcall_page_fault
    mov $libos_upcall_stack_base, %esp
    mov %rdi, SCRATCH(%rax)
    keep base=(%rax)
    mov %rax, %rdi
    call libos_resolve_fault
    test %al, %al
    jz 1f
2:  put_back at=FIRST_RECORD
    resume at=FIRST_RECORD
1:  mov $FIRST_RECORD, %edi
    call libos_last_resort
    jmp 2b
    .size libos_upcall_page_fault_straight, . - libos_upcall_page_fault_straight

// The kernel enters here what redirect() in upcalls.hpp built: a call, on the interrupted code's own stack,
// that the interrupted code knows nothing of. Stack, from rsp up:
//   function, rflags, rip, 128 bytes of red zone
    .section .text.libos_redirected, "ax"
    .global libos_redirected
    .type libos_redirected, @function
libos_redirected:
    push %rbp
    mov %rsp, %rbp
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    sub $512, %rsp
    and $-64, %rsp
    fxsave64 (%rsp)
    call *8(%rbp)
    fxrstor64 (%rsp)
    lea -72(%rbp), %rsp
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    pop %rbp
    lea 8(%rsp), %rsp
    popfq
    ret $128
    .size libos_redirected, . - libos_redirected

// The program comes by here on its way back from an upcall (safe_point.cpp), with all its registers and on its own stack; it
// goes on at libos_program_rip. The stack is laid out as for libos_redirected.
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

    .section .rodata.libos_resumes, "a", @progbits
    .quad 0, 0

    .section .libos_upcall_stack, "aw", @nobits
    .balign 4096
    .global libos_upcall_stack
    .global libos_upcall_stack_base
    .global libos_upcall_stack_top
libos_upcall_stack:
    .skip STACK_SIZE - 16
libos_upcall_stack_base:
    .skip 16
libos_upcall_stack_top:

    .section .libos_save_area, "aw", @nobits
    .balign 4096
    .global libos_save_area
libos_save_area:
    .skip 4096

    .section .note.GNU-stack, "", @progbits
