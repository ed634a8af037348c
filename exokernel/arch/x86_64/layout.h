// Where things are: constants that C++, assembly and the linker script share. Only #defines here.
#pragma once

// Virtual memory of the kernel half (PML4 slots 256..511), the same in every context:
//   0xffff800000000000   all of physical memory, never executable
//   0xffffffff80000000   the kernel image
#define KERNEL_BASE 0xffffffff80000000
#define KERNEL_PHYSICAL 0x200000
#define DIRECT_MAP 0xffff800000000000

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA 0x1b
#define SELECTOR_USER_CODE 0x23
#define SELECTOR_TSS 0x28

// One aligned block a CPU: its Cpu structure at the bottom, then its stacks. Masking any kernel stack
// pointer finds the Cpu; from the top of the main stack, where every trap from ring 3 begins, it lies at a
// constant distance, so that trap code needs no swapgs. Below the main stack a page is not mapped: running
// over it is a double fault, not a silent end of the others.
#define CPU_BLOCK_SIZE 0x10000
#define CPU_STACK_TOP 0x10000   // main stack, 32 KiB
#define CPU_GUARD 0x7000        // 4 KiB
#define CPU_IST3_TOP 0x7000     // machine check, 8 KiB
#define CPU_IST2_TOP 0x5000     // double fault, 8 KiB
#define CPU_IST1_TOP 0x3000     // NMI, 4 KiB
#define CPU_IST4_TOP 0x2000     // debug exception, 4 KiB

// In assembly: a field of this CPU's Cpu, with `pushed` bytes on the main stack.
#define CPU(field, pushed) (field) - CPU_STACK_TOP + (pushed)(%rsp)

#define VECTOR_TIMER 0x40
#define VECTOR_STOP 0x41        // another CPU changes what this one relies on, or has something for it to do
#define VECTOR_SPURIOUS 0xff

#define VECTOR_GUEST_SYSCALL 0x100  // no vector of the CPU's: a guest in ring 3 made a system call

#define AP_PAGE 0x8000          // physical: where the other CPUs begin, in real mode

#define RFLAGS_TRAP 0x100
#define RFLAGS_VIRTUAL_8086 0x20000
#define USER_RFLAGS 0x202       // IF and the bit that is always one
