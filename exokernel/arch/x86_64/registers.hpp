// The machine's registers and the instructions that touch them, by name, each declared once.
// Bit names and numbers: Intel SDM vol. 3, 2.5 (control registers), vol. 4 (MSRs).
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

namespace cr0 {
inline constexpr u64 kTaskSwitched = 1 << 3;
inline constexpr u64 kMonitorCoprocessor = 1 << 1;
inline constexpr u64 kEmulation = 1 << 2;
inline constexpr u64 kNumericError = 1 << 5;
}  // namespace cr0

namespace cr4 {
inline constexpr u64 kPge = 1 << 7;
inline constexpr u64 kOsFxsr = 1 << 9;
inline constexpr u64 kOsXmmExceptions = 1 << 10;
inline constexpr u64 kUmip = 1 << 11;
inline constexpr u64 kFsGsBase = 1 << 16;
inline constexpr u64 kPcid = 1 << 17;
inline constexpr u64 kOsXsave = 1 << 18;
inline constexpr u64 kSmep = 1 << 20;
inline constexpr u64 kSmap = 1 << 21;
inline constexpr u64 kPke = 1 << 22;
}  // namespace cr4

namespace msr {
inline constexpr u32 kApicBase = 0x1b;
inline constexpr u32 kEfer = 0xc0000080;
inline constexpr u32 kStar = 0xc0000081;
inline constexpr u32 kLstar = 0xc0000082;
inline constexpr u32 kFmask = 0xc0000084;
inline constexpr u32 kGsBase = 0xc0000101;
inline constexpr u32 kKernelGsBase = 0xc0000102;
inline constexpr u32 kSvmControl = 0xc0010114;   // VM_CR (APM vol. 2, 15.30.1)
inline constexpr u32 kSvmHostSave = 0xc0010117;  // VM_HSAVE_PA
}  // namespace msr

inline constexpr u64 kEferSvm = 1 << 12;  // SVME (APM vol. 2, 15.4)

// Safety, for all below: each is one instruction without effects beyond the register that it names; the
// callers are the kernel's own, in ring 0.
inline u64 read_cr0() { u64 v; asm volatile("mov %%cr0, %0" : "=r"(v)); return v; }
inline void write_cr0(u64 v) { asm volatile("mov %0, %%cr0" ::"r"(v) : "memory"); }
inline u64 read_cr2() { u64 v; asm volatile("mov %%cr2, %0" : "=r"(v)); return v; }
inline u64 read_cr3() { u64 v; asm volatile("mov %%cr3, %0" : "=r"(v)); return v; }
inline void write_cr3(u64 v) { asm volatile("mov %0, %%cr3" ::"r"(v) : "memory"); }
inline u64 read_cr4() { u64 v; asm volatile("mov %%cr4, %0" : "=r"(v)); return v; }
inline void write_cr4(u64 v) { asm volatile("mov %0, %%cr4" ::"r"(v) : "memory"); }
inline void clear_task_switched() { asm volatile("clts" ::: "memory"); }

inline void write_extended_control(u32 index, u64 v) {  // XCR0; needs CR4.OSXSAVE
    asm volatile("xsetbv" ::"c"(index), "a"(static_cast<u32>(v)), "d"(static_cast<u32>(v >> 32)));
}

inline void write_protection_keys(u32 v) {  // PKRU; needs CR4.PKE
    asm volatile("wrpkru" ::"a"(v), "c"(0), "d"(0) : "memory");
}

inline u64 read_msr(u32 index) {
    u32 low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return u64{high} << 32 | low;
}
inline void write_msr(u32 index, u64 value) {
    asm volatile("wrmsr" ::"c"(index), "a"(static_cast<u32>(value)), "d"(static_cast<u32>(value >> 32)) : "memory");
}
inline u64 read_tsc() {
    u64 low, high;  // rdtsc clears the upper halves
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return high << 32 | low;
}
inline void flush_page(VirtAddr address) {
    asm volatile("invlpg (%0)" ::"r"(address.value) : "memory");
}

struct CpuId {
    u32 eax, ebx, ecx, edx;
};
inline CpuId cpuid(u32 leaf, u32 subleaf = 0) {
    CpuId r;
    asm volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

inline void out8(u16 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "Nd"(port)); }
inline u8 in8(u16 port) { u8 v; asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }

// Safety, for the string instructions: the caller's ranges are mapped and its own. One `rep` beats a loop in
// instructions and in time.
inline void zero_words(void* to, u64 count) { asm volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(0) : "memory"); }
inline void fill_bytes(void* to, u8 value, u64 count) {
    asm volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
}
inline void copy_page(void* to, const void* from) {
    u64 words = 512;
    asm volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
}
inline void copy_bytes(void* to, const void* from, u64 count) {
    asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count)::"memory");
}
// The bases of FS and GS, which a libOS sets for itself where the CPU has FSGSBASE. While the kernel runs they are
// still the libOS's: the entry code swaps GS back at once.
inline u64 read_fs_base() { u64 v; asm volatile("rdfsbase %0" : "=r"(v)); return v; }
inline u64 read_gs_base() { u64 v; asm volatile("rdgsbase %0" : "=r"(v)); return v; }
inline void write_fs_base(u64 v) { asm volatile("wrfsbase %0" ::"r"(v)); }
inline void write_gs_base(u64 v) { asm volatile("wrgsbase %0" ::"r"(v)); }

/// With SMAP: whatever AC the libOS had set, the kernel does not touch its memory. (`clac` exists only with SMAP.)
inline void forbid_user_access() {
    if (read_cr4() & cr4::kSmap) asm volatile("clac" ::: "memory");
}

/// Halt until an interrupt, which is taken. Nothing comes in between: `sti` takes effect behind `hlt` (SDM vol. 2, STI).
inline void wait_for_interrupt() { asm volatile("sti; hlt; cli" ::: "memory"); }
/// In a loop that waits for another CPU.
inline void relax() { asm volatile("pause" ::: "memory"); }

[[noreturn]] inline void halt_forever() {
    for (;;) asm volatile("cli; hlt");
}

}  // namespace tessera::kernel
