// The instructions that a kernel owns a machine with, one function each. None is avoided because a monitor might find
// it hard: finding that out is what this guest is for.
#pragma once

#include "guests/small/types.hpp"

namespace small::trapped {

// Safety, of all that follows: each is one instruction with its operands as the manual has them (SDM vol. 2); those
// that change how memory is seen have a memory clobber.

inline u8 in8(u16 port) {
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline u16 in16(u16 port) {
    u16 value;
    asm volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline u32 in32(u16 port) {
    u32 value;
    asm volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}
inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port) : "memory"); }
inline void out16(u16 port, u16 value) { asm volatile("outw %0, %1" ::"a"(value), "Nd"(port) : "memory"); }
inline void out32(u16 port, u32 value) { asm volatile("outl %0, %1" ::"a"(value), "Nd"(port) : "memory"); }

inline void cli() { asm volatile("cli" ::: "memory"); }
inline void sti() { asm volatile("sti" ::: "memory"); }
/// STI holds interrupts back for one more instruction, so none can come between the two.
inline void sti_hlt_cli() { asm volatile("sti\n hlt\n cli" ::: "memory"); }
inline void clts() { asm volatile("clts" ::: "memory"); }
inline u64 flags() {
    u64 value;
    asm volatile("pushfq\n popq %0" : "=r"(value)::"memory");
    return value;
}
inline void set_flags(u64 value) { asm volatile("pushq %0\n popfq" ::"r"(value) : "memory", "cc"); }
inline constexpr u64 kInterruptFlag = 1 << 9;
/// In DR6, which keeps it until somebody takes it away.
inline constexpr u64 kSingleStep = 1 << 14;

#define SMALL_CONTROL_REGISTER(name)                                                                     \
    inline u64 name() {                                                                                  \
        u64 value;                                                                                       \
        asm volatile("mov %%" #name ", %0" : "=r"(value)::"memory");                                     \
        return value;                                                                                    \
    }                                                                                                    \
    inline void set_##name(u64 value) { asm volatile("mov %0, %%" #name ::"r"(value) : "memory"); }
SMALL_CONTROL_REGISTER(cr0)
SMALL_CONTROL_REGISTER(cr2)
SMALL_CONTROL_REGISTER(cr3)
SMALL_CONTROL_REGISTER(cr4)
SMALL_CONTROL_REGISTER(dr0)
SMALL_CONTROL_REGISTER(dr6)
#undef SMALL_CONTROL_REGISTER

inline void invlpg(u64 address) { asm volatile("invlpg (%0)" ::"r"(address) : "memory"); }

inline u64 read_msr(u32 number) {
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return u64{high} << 32 | low;
}
inline void write_msr(u32 number, u64 value) {
    asm volatile("wrmsr" ::"c"(number), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)) : "memory");
}
inline constexpr u32 kEfer = 0xc000'0080, kStar = 0xc000'0081, kLstar = 0xc000'0082, kSfmask = 0xc000'0084;
inline constexpr u32 kGsBase = 0xc000'0101, kKernelGsBase = 0xc000'0102;

struct Cpuid {
    u32 eax, ebx, ecx, edx;
};
inline Cpuid cpuid(u32 leaf) {
    Cpuid result;
    asm volatile("cpuid" : "=a"(result.eax), "=b"(result.ebx), "=c"(result.ecx), "=d"(result.edx) : "a"(leaf), "c"(0));
    return result;
}

/// What LGDT, LIDT, SGDT and SIDT move.
struct [[gnu::packed]] TableRegister {
    u16 limit;
    u64 base;
};

/// Nothing runs on this CPU any more. A monitor takes HLT without interrupts for the power switch.
[[noreturn]] inline void halt_forever() {
    for (;;) asm volatile("cli\n hlt" ::: "memory");
}

}  // namespace small::trapped
