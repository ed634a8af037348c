// The ways out of a guest in ring 3: full save, and C++ decides (deprivileged.cpp).

#include "exokernel/arch/x86_64/layout.h"
#include "exokernel/arch/x86_64/registers.inc"
#include "offsets.h"

    .text

// The stack holds a vector, an error code and the CPU's frame.
guest_trap:
    SAVE_REGISTERS
    cld
    mov %rsp, %rdi
    xor %ebp, %ebp
    call on_guest_trap
    jmp trap_exit

.macro GUEST_TRAP vector, has_error
guest_trap_\vector:
  .if !\has_error
    push $0
  .endif
    push $\vector
    jmp guest_trap
.endm

    GUEST_TRAP 0, 0
    GUEST_TRAP 1, 0
    GUEST_TRAP 3, 0
    GUEST_TRAP 4, 0
    GUEST_TRAP 5, 0
    GUEST_TRAP 6, 0
    GUEST_TRAP 7, 0
    GUEST_TRAP 9, 0
    GUEST_TRAP 10, 1
    GUEST_TRAP 11, 1
    GUEST_TRAP 12, 1
    GUEST_TRAP 13, 1
    GUEST_TRAP 14, 1
    GUEST_TRAP 16, 0
    GUEST_TRAP 17, 1
    GUEST_TRAP 19, 0
    GUEST_TRAP VECTOR_TIMER, 0
    GUEST_TRAP VECTOR_STOP, 0

    .globl guest_trap_other
guest_trap_other:
    push $0
    push $VECTOR_SPURIOUS
    jmp guest_trap

// As debug_exception (entry.S): on a stack of its own, as stepping through `syscall` raises it in ring 0.
guest_debug_exception:
    testl $RFLAGS_VIRTUAL_8086, 16(%rsp)
    jnz 1f
    testb $3, 8(%rsp)
    jz debug_exception
1:  MOVE_TO_MAIN_STACK
    jmp guest_trap_1

// `syscall` in a guest: the frame of a trap, built by hand. rcx and r11 are as the instruction left them.
    .globl guest_syscall_entry
guest_syscall_entry:
    swapgs
    mov %rsp, %gs:CPU_STACK_TOP - 16
    mov %gs:CPU_USER_STACK_SLOT, %rsp
    swapgs
    push %r11
    push $SELECTOR_USER_CODE
    push %rcx
    push $0
    push $VECTOR_GUEST_SYSCALL
    jmp guest_trap

// Which vector leads where (descriptors.cpp): pairs of vector and address.
    .section .rodata.guest_gates, "a"
    .balign 8
    .globl guest_gate_list
guest_gate_list:
  .irp vector, 0, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 16, 17, 19, VECTOR_TIMER, VECTOR_STOP
    .quad \vector, guest_trap_\vector
  .endr
    .quad 1, guest_debug_exception
    .globl guest_gate_list_end
guest_gate_list_end:

    .section .note.GNU-stack, "", @progbits
