// The CPU's own tables: segments, gates, the task state, and where SYSCALL goes.
#pragma once

#include "guests/small/types.hpp"

namespace small::trapped {

/// What GS points at inside the kernel; entry.S knows the offsets.
struct Cpu {
    u64 kernel_stack;
    u64 user_rsp;
};
extern Cpu cpu;

inline constexpr u16 kKernelCode = 0x08, kKernelData = 0x10, kTaskState = 0x30;

void load_descriptors();
u64 gdt_address();
u64 idt_address();

}  // namespace small::trapped
