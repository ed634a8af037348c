// What the machine's layer saves when the CPU leaves a program, lowest address first: its entry code pushes the
// general registers below what x86 pushes by itself.
#pragma once

#include "guests/small/types.hpp"

namespace small {

inline constexpr u64 kPageFault = 14;         ///< SDM vol. 3, 6.15
inline constexpr u64 kUserCode = 0x28 | 3;    ///< Selectors, as SYSRET wants them placed (SDM vol. 2, SYSRET).
inline constexpr u64 kUserData = 0x20 | 3;
inline constexpr u64 kUserFlags = 0x202;      ///< IF, and the bit that is always one.

struct TrapFrame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
    u64 vector, error;
    u64 rip, cs, rflags, rsp, ss;

    bool from_user() const { return (cs & 3) == 3; }
};
static_assert(sizeof(TrapFrame) == 22 * 8, "entry.S pushes as many");

/// The error code of a page fault (SDM vol. 3, 4.7).
struct PageFaultError {
    u64 value;
    bool present() const { return value & 1; }
    bool write() const { return value & 2; }
    bool user() const { return value & 4; }
    bool fetch() const { return value & 16; }
};

}  // namespace small
