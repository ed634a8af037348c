// What a trap leaves on the kernel's stack. Values with predicates: no raw error code goes past the trap files.
#pragma once

#include "exokernel/abi/types.hpp"
#include "exokernel/abi/upcalls.hpp"
#include "exokernel/arch/x86_64/layout.h"

namespace tessera::kernel {

/// What the CPU pushes (SDM vol. 3, 6.14.2), and what a system call's entry lays out the same way.
struct EntryFrame {
    u64 rip, cs, rflags, rsp, ss;
    constexpr bool from_user() const { return (cs & 3) == 3; }
    constexpr bool from_virtual_8086() const { return rflags & 1 << 17; }
};

/// Everything that an environment has in general registers.
struct Registers {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
};

/// Full frame: built by the slow trap path, and kept where an environment was switched away by force.
struct TrapFrame {
    Registers regs;
    u64 vector;
    u64 error;
    EntryFrame entry;
};

struct PageFault {
    VirtAddr address;
    u64 error;
    constexpr bool is(AccessKind kind) const { return error & static_cast<u64>(kind); }
};

enum Vector : u64 {
    kDivide = 0,
    kDebug = 1,
    kNmi = 2,
    kBreakpoint = 3,
    kInvalidOpcode = 6,
    kDeviceNotAvailable = 7,
    kDoubleFault = 8,
    kGeneralProtection = 13,
    kPageFault = 14,
    kMachineCheck = 18,
};

}  // namespace tessera::kernel
