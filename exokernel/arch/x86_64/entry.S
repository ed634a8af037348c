// The ways into the kernel and out of it: page faults with the S-TLB refill, exceptions that go up to the
// libOS, system calls, and the slow path that saves everything for C++.
//
// A trap from ring 3 starts at the top of this CPU's main stack (TSS.rsp0), so the Cpu structure lies at a
// constant distance below rsp, whatever is in the segment registers: no swapgs, and CR3 is left alone.
//
// How many instructions each path takes is measured: docs/measurements.md.

#include "exokernel/arch/x86_64/layout.h"
#include "exokernel/arch/x86_64/registers.inc"
#include "offsets.h"

// What lies on the stack in the fast paths, behind three pushes.
#define F_RDX 0
#define F_RCX 8
#define F_RAX 16
#define F_ERROR 24
#define F_RIP 32
#define F_CS 40
#define F_RFLAGS 48
#define F_RSP 56
#define F_SS 64
#define F_BYTES 72

#define ERROR_PRESENT 1
#define ERROR_WRITE 2
#define ERROR_USER 4
#define ERROR_FETCH 16

#define PTE_ACCESSED 0x20
#define PTE_DIRTY_WRITE_ACCESSED 0x62
#define PTE_WRITABLE_BIT 11

#ifdef TESSERA_TRACE
// One hop into the trace ring, in the checked kernel only. Every register survives.
.macro HOP what
    pushfq
    push %rdi
    mov $\what, %edi
    call trace_hop_saving
    pop %rdi
    popfq
.endm
#else
.macro HOP what
.endm
#endif
#define HOP_PAGE_FAULT 1
#define HOP_REFILL 2
#define HOP_UPCALL 3
#define HOP_SYSCALL 4
#define HOP_SYSCALL_EXIT 5
#define HOP_EXCEPTION 6

// The registers that the fast paths work with. Behind them on the stack: what the CPU pushed, with or without an error code.
.macro SAVE_SCRATCH
    push %rax
    push %rcx
    push %rdx
.endm
.macro RESTORE_SCRATCH
    pop %rdx
    pop %rcx
    pop %rax
.endm
// As if nothing had been done yet: on with a slow path.
.macro GIVE_UP vector, has_error, to
    RESTORE_SCRATCH
  .if !\has_error
    push $0
  .endif
    push $\vector
    jmp \to
.endm

    .text

// ---------------------------------------------------------------------------------------------- page faults

// Three of a kind, by switch policy (hardware_tlb.cpp picks one at boot).
//   \fill     fill misses from the S-TLB's direct-mapped part (all policies but `none`)
//   \logged   remember what the hardware side holds, to wipe or to bound it
// rdx = page, rcx = its entry in the direct-mapped part, rax = context.
.macro FIND_ENTRY
    mov CPU(CPU_CONTEXT, F_BYTES), %rax
    mov %cr2, %rdx
    shr $12, %rdx
    mov %edx, %ecx
    and CONTEXT_MASK(%rax), %rcx
    shl $5, %rcx
    add CONTEXT_STLB(%rax), %rcx
.endm

// Remember that slot rcx holds the page that faulted, at rax, which moves on.
.macro LOG_PAGE
    mov %cr2, %rdx
    shr $12, %rdx
    mov %rcx, LOG_ITEM_SLOT(%rax)
    mov %rdx, LOG_ITEM_TAG(%rax)
    add $LOG_ITEM_SIZE, %rax
.endm

.macro PAGE_FAULT name, fill, logged
    .globl \name
    .balign 64
\name:
    SAVE_SCRATCH
    HOP HOP_PAGE_FAULT
    cmpl $ERROR_USER, F_ERROR(%rsp)             // a read of an absent page: any binding will do
    jne 4f
    FIND_ENTRY
  .if \fill
    cmp %rdx, ENTRY_TAG(%rcx)
    jne 3f
  .else
    jmp 3f
  .endif
1:  orb $PTE_ACCESSED, ENTRY_PTE(%rcx)
2:  mov ENTRY_PTE(%rcx), %rdx
    mov ENTRY_SLOT(%rcx), %rcx
    cmp %rcx, CONTEXT_DEAD_SLOT(%rax)
    je page_fault_slowly                        // no table there yet
    mov %rdx, (%rcx)
    mov CPU(CPU_ENV, F_BYTES), %rax
    mov ENV_INFO(%rax), %rax
    incq INFO_HITS(%rax)
  .if \logged
    mov CPU(CPU_LOG_NEXT, F_BYTES), %rax
    cmp CPU(CPU_LOG_LIMIT, F_BYTES), %rax
    je 8f
    LOG_PAGE
    mov %rax, CPU(CPU_LOG_NEXT, F_BYTES)
7:
  .endif
    HOP HOP_REFILL
    RESTORE_SCRATCH
    add $8, %rsp
    iretq

3:  mov %edx, %ecx                              // a guaranteed mapping?
    and CONTEXT_SET_MASK(%rax), %rcx
    shl $7, %rcx
    add CONTEXT_GUARANTEED(%rax), %rcx
    cmp %rdx, ENTRY_TAG(%rcx)
    je 5f
    add $ENTRY_SIZE, %rcx
    cmp %rdx, ENTRY_TAG(%rcx)
    je 5f
    add $ENTRY_SIZE, %rcx
    cmp %rdx, ENTRY_TAG(%rcx)
    je 5f
    add $ENTRY_SIZE, %rcx
    cmp %rdx, ENTRY_TAG(%rcx)
    je 5f
    cmpq $0, CONTEXT_LARGE(%rax)
    jne page_fault_slowly                       // perhaps a 2 MiB binding
    jmp page_fault_upcall

4:  testb $ERROR_USER, F_ERROR(%rsp)
    jz page_fault_slowly                        // the kernel's own: a panic
    FIND_ENTRY
  .if !\fill
    testb $ERROR_PRESENT, F_ERROR(%rsp)         // a first write to a clean page is still the kernel's to note
    jz 3b
  .endif
    cmp %rdx, ENTRY_TAG(%rcx)
    jne 3b
5:  testb $ERROR_WRITE, F_ERROR(%rsp)
    jz 6f
    btl $PTE_WRITABLE_BIT, ENTRY_PTE(%rcx)
    jnc page_fault_upcall
    orb $PTE_DIRTY_WRITE_ACCESSED, ENTRY_PTE(%rcx)
    jmp 2b
6:  testb $ERROR_PRESENT, F_ERROR(%rsp)
    jnz page_fault_upcall                       // it was there: nothing that a refill mends
    testb $ERROR_FETCH, F_ERROR(%rsp)
    jz 1b
    cmpb $0, ENTRY_PTE + 7(%rcx)                // bit 63, the sign: never execute
    jl page_fault_upcall
    jmp 1b

  .if \logged
8:  mov CPU(CPU_LOG_OLDEST, F_BYTES), %rax      // the bound is reached: the oldest goes
    mov LOG_ITEM_TAG(%rax), %rdx
    bt $LARGE_TAG_BIT, %rdx
    jc page_fault_unlogged
    shl $12, %rdx
    invlpg (%rdx)
    mov LOG_ITEM_SLOT(%rax), %rdx
    movq $0, (%rdx)
    LOG_PAGE
    cmp CPU(CPU_LOG_LIMIT, F_BYTES), %rax
    jne 9f
    mov CPU(CPU_LOG_FIRST, F_BYTES), %rax
9:  mov %rax, CPU(CPU_LOG_OLDEST, F_BYTES)
    jmp 7b
  .endif
.endm

    PAGE_FAULT page_fault_plain, 1, 0
    PAGE_FAULT page_fault_logged, 1, 1
    PAGE_FAULT page_fault_unfilled, 0, 1

// Full save, and C++ decides: on_page_fault.
page_fault_unlogged:
    movq $0, (%rcx)                             // not installed after all
page_fault_slowly:
    GIVE_UP 14, 1, trap_slowly

// ------------------------------------------------------------------------------------------ to the libOS

// Write a save record and leave for the libOS's entry point. On the stack: F_*, or without the error word.
// Afterwards: rax = the record's address for the libOS, rcx and rdx hold nothing of the kernel's.
.macro DELIVER kind, vector, has_error, not_wanted, no_record
    mov CPU(CPU_ENV, F_BYTES - 8 * !\has_error), %rcx
    mov ENV_SAVE(%rcx), %rax
    cmpq $0, ENV_ENTRY + 8 * \kind(%rcx)
    je \not_wanted
    mov (%rax), %edx                            // depth, read once: the libOS may be writing it
    cmp $SAVE_RECORD_COUNT, %edx
    jae \no_record
    incl (%rax)
    shl $7, %edx
    lea SAVE_RECORDS(%rax, %rdx), %rax          // the record, at the kernel's address
  .if \vector == 0
    movq $\kind, RECORD_KIND(%rax)              // both words
  .else
    movl $\kind, RECORD_KIND(%rax)
    movl $\vector, RECORD_VECTOR(%rax)
  .endif
    popq RECORD_RDX(%rax)
    popq RECORD_RCX(%rax)
    popq RECORD_RAX(%rax)
  .if \has_error
    popq RECORD_ERROR(%rax)
  .else
    movq $0, RECORD_ERROR(%rax)
  .endif
    popq RECORD_RIP(%rax)
    push ENV_ENTRY + 8 * \kind(%rcx)            // is the new rip
    mov 16(%rsp), %rdx
    mov %rdx, RECORD_RFLAGS(%rax)
    mov 24(%rsp), %rdx
    mov %rdx, RECORD_RSP(%rax)
    movq $USER_RFLAGS, 16(%rsp)
  .if \kind == KIND_PAGE_FAULT
    mov %cr2, %rdx
    mov %rdx, RECORD_ADDRESS(%rax)
  .endif
    add ENV_SAVE_TO_USER(%rcx), %rax            // the record, at the libOS's address
    xor %ecx, %ecx
    HOP HOP_UPCALL
    iretq
.endm

    .balign 64
page_fault_upcall:
    mov CPU(CPU_ENV, F_BYTES), %rax
    mov ENV_INFO(%rax), %rax
    incq INFO_MISSES(%rax)
    incq INFO_UPCALLS(%rax)
    DELIVER KIND_PAGE_FAULT, 0, 1, page_fault_undeliverable, page_fault_undeliverable

page_fault_undeliverable:
    GIVE_UP 14, 1, trap_not_delivered

// From the system-call entry, with the same frame built by hand.
    .balign 64
unknown_syscall_upcall:
    DELIVER KIND_UNKNOWN_SYSCALL, 0, 0, 1f, 2f
1:  RESTORE_SCRATCH                             // not wanted: answered by the kernel
    add $24, %rsp                               // rip, cs, rflags: back at the entry frame's rsp word
    push %rcx
    call unknown_syscall_answer
    jmp syscall_exit
2:  GIVE_UP VECTOR_SPURIOUS, 0, trap_not_delivered

// ------------------------------------------------------------------------------------------- slow path

// The stack holds a vector, an error code and the CPU's frame.
trap_slowly:
    SAVE_REGISTERS
    cld
    mov %rsp, %rdi
    xor %ebp, %ebp
    call on_trap
    .globl trap_exit
trap_exit:
    RESTORE_REGISTERS
    add $16, %rsp
    iretq

trap_not_delivered:
    SAVE_REGISTERS
    cld
    mov %rsp, %rdi
    xor %ebp, %ebp
    call on_undeliverable                       // does not return

// [[noreturn]] void resume_full(const TrapFrame*): to ring 3 with all registers.
    .globl resume_full
resume_full:
    mov %rdi, %rsp
    RESTORE_REGISTERS
    add $16, %rsp
    iretq

// ---------------------------------------------------------------------------------------- system calls

// rcx = user rip, r11 = user flags, eax = number, arguments in rdi, rsi, rdx, r8, r9: where the C++ calling
// convention wants the first, second, third, fifth and sixth. Interrupts are off (FMASK).
// The stack is laid out as an EntryFrame: its rsp and rip words are filled here, the rest only when needed.
    .globl syscall_entry
    .balign 64
syscall_entry:
    swapgs
    mov %rsp, %gs:CPU_STACK_TOP - 16
    mov %gs:CPU_USER_STACK_SLOT, %rsp
    swapgs
    HOP HOP_SYSCALL
    cmp $SYSCALL_COUNT, %rax
    jae unknown_syscall
    push %rcx
    call *syscall_table(, %rax, 8)
syscall_exit:
    pop %rcx
    HOP HOP_SYSCALL_EXIT
    mov $USER_RFLAGS, %r11d
    pop %rsp
    sysretq

unknown_syscall:
    push %r11
    push $SELECTOR_USER_CODE
    push %rcx
    SAVE_SCRATCH
    jmp unknown_syscall_upcall

// guest_run: a guest with SVM runs within the call (svm.cpp); one in ring 3 takes the place of its monitor, of whose
// registers those are kept that a call keeps (deprivileged.cpp). Refusals take that way, too.
    .globl guest_call
guest_call:
    cmp $GUEST_COUNT, %rdi
    jae blocking_call
    mov CPU(CPU_ENV, 32), %rcx
    mov ENV_GUESTS(%rcx, %rdi, 8), %rcx
    test %rcx, %rcx
    jz blocking_call
    cmpq $GUEST_FORM_SVM, GUEST_FORM(%rcx)
    jne blocking_call
    mov %rcx, %rdi
    jmp svm_call

// Calls that give the CPU away with all that is in registers, the rare half of control transfer among them
// (transfer.S): saved as a trap would be, flags aside, and C++ decides. rax is still the number.
    .globl blocking_call
blocking_call:
    mov 8(%rsp), %rcx
    add $16, %rsp
    push $USER_RFLAGS
    push $SELECTOR_USER_CODE
    push %rcx
    push $0
    push $VECTOR_SPURIOUS
    xor %r11d, %r11d                            // may hold an address of the kernel's
    SAVE_REGISTERS
    cld
    mov %rsp, %rdi
    xor %ebp, %ebp
    call on_blocking_call
    jmp trap_exit

// The null call touches no register, so it needs no thunk that clears them.
    .globl null_call
null_call:
    xor %eax, %eax
    ret

// ------------------------------------------------------------------------------------------------ stubs

// Exceptions that go up. From the kernel they are a panic.
.macro EXCEPTION vector, has_error
    .globl exception_\vector
    .balign 64
exception_\vector:
    SAVE_SCRATCH
    testb $3, F_CS - 8 * !\has_error(%rsp)
    jz 1f
    HOP HOP_EXCEPTION
    DELIVER KIND_EXCEPTION, \vector, \has_error, 2f, 2f
1:  GIVE_UP \vector, \has_error, trap_slowly
2:  GIVE_UP \vector, \has_error, trap_not_delivered
.endm
.macro SLOW vector, has_error
    .globl exception_\vector
exception_\vector:
  .if !\has_error
    push $0
  .endif
    push $\vector
    jmp trap_slowly
.endm

    EXCEPTION 0, 0
    EXCEPTION 1, 0
    SLOW 2, 0
    EXCEPTION 3, 0
    EXCEPTION 4, 0
    EXCEPTION 5, 0
    EXCEPTION 6, 0
    SLOW 7, 0
    SLOW 8, 1
    EXCEPTION 9, 0
    EXCEPTION 10, 1
    EXCEPTION 11, 1
    EXCEPTION 12, 1
    EXCEPTION 13, 1
    EXCEPTION 16, 0
    EXCEPTION 17, 1
    SLOW 18, 0
    EXCEPTION 19, 0

// A debug exception can arrive at syscall_entry's first instruction, in ring 0 on the libOS's stack: single-stepping a
// system call does it. So it has a stack of its own. From ring 3 it goes on as any exception, on the main stack, where
// the frame is moved; from ring 0 the step is forgotten.
    .globl debug_exception
debug_exception:
    testl $RFLAGS_VIRTUAL_8086, 16(%rsp)        // not in long mode, but in an emulator: on_trap
    jnz 2f
    testb $3, 8(%rsp)
    jz 1f
2:  MOVE_TO_MAIN_STACK
    jmp exception_1
1:  andq $~RFLAGS_TRAP, 16(%rsp)
    push %rax
    xor %eax, %eax
    mov %rax, %dr6
    pop %rax
    iretq

    .globl interrupt_timer
interrupt_timer:
    push $0
    push $VECTOR_TIMER
    jmp trap_slowly
    .globl interrupt_stop
interrupt_stop:
    push $0
    push $VECTOR_STOP
    jmp trap_slowly
    .globl interrupt_other
interrupt_other:
    push $0
    push $VECTOR_SPURIOUS
    jmp trap_slowly

#ifdef TESSERA_TRACE
trace_hop_saving:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %r8
    push %r9
    push %r10
    push %r11
    cld
    call trace_hop
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    ret
#endif

    .section .bss
    .balign CPU_BLOCK_SIZE
    .globl cpu_blocks
cpu_blocks:
    .skip 8 * CPU_BLOCK_SIZE

    .section .note.GNU-stack, "", @progbits
