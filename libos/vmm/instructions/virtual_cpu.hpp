// A software copy of what a virtual CPU has: what sensitive instructions read and change.
//
// In the deprivileged form this is the guest's CPU, of which only general registers, the bases of FS and GS and
// the harmless flags are ever in the real one. In the SVM form most of it is in the control block, and a monitor fills in what
// an emulated instruction needs. Plain words throughout: whoever saves a guest saves this.
#pragma once

#include "libos/vmm/instructions/instruction.hpp"

namespace tessera::vmm {

namespace rflags {
inline constexpr u64 kCarry = 1, kFixed = 2, kZero = 1 << 6, kTrap = 1 << 8, kInterrupt = 1 << 9, kDirection = 1 << 10,
                     kIopl = 3 << 12, kNested = 1 << 14, kResume = 1 << 16, kVm = 1 << 17, kAlignment = 1 << 18, kId = 1 << 21;
/// Bits that there are, without the VM86 ones (VM, VIF, VIP), which long mode has no use for.
inline constexpr u64 kAll = 0x25'7fd5;
}  // namespace rflags

namespace cr0 {
inline constexpr u64 kProtected = 1, kMonitor = 2, kEmulate = 4, kSwitched = 8, kExtension = 16, kWriteProtect = 1 << 16,
                     kNotWriteThrough = 1 << 29, kCacheDisable = 1 << 30, kPaging = u64{1} << 31;
inline constexpr u64 kAll = 0xe005'003f;
}  // namespace cr0

namespace cr4 {
inline constexpr u64 kTimeStampDisable = 1 << 2, kDebugExtensions = 1 << 3, kPageSizeExtensions = 1 << 4, kPae = 1 << 5, kMachineCheck = 1 << 6,
                     kGlobalPages = 1 << 7, kCounters = 1 << 8, kFxsave = 1 << 9, kSimdExceptions = 1 << 10, kUmip = 1 << 11,
                     kFsGsBase = 1 << 16, kXsave = 1 << 18, kSmep = 1 << 20, kSmap = 1 << 21;
}  // namespace cr4

namespace efer {
inline constexpr u64 kSyscall = 1, kLongEnable = 1 << 8, kLongActive = 1 << 10, kNoExecute = 1 << 11;
}  // namespace efer

namespace dr6 {
inline constexpr u64 kSingleStep = 1 << 14;
}  // namespace dr6

/// Segment attributes as in SVM's control block: bits 40 to 47 of a descriptor, above them bits 52 to 55.
namespace attribute {
inline constexpr u16 kAccessed = 1, kWritable = 2, kConforming = 4, kCode = 8, kMemory = 16, kPresent = 1 << 7, kLong = 1 << 9, kBig = 1 << 10,
                     kPages = 1 << 11;
constexpr u16 with_dpl(u16 attributes, u32 dpl) { return static_cast<u16>(attributes | dpl << 5); }
}  // namespace attribute

struct Segment {
    u16 selector;
    u16 attributes;
    u32 limit;
    u64 base;
    constexpr u32 dpl() const { return attributes >> 5 & 3; }
    constexpr bool has(u16 bit) const { return attributes & bit; }
};

struct TableRegister {
    u64 base;
    u16 limit;
};

/// What the guest's CPU can do: the control bits that it may set. Everything else is #GP, as on a CPU without it.
struct CpuModel {
    u64 cr4_allowed;
    u64 efer_allowed;      ///< Besides LMA.
    u64 xcr0_allowed;      ///< 0: no XSAVE.
    u8 physical_bits;      ///< Of addresses: what is above is reserved in CR3.
    bool has_rdtscp;
};

/// A small x86-64: what the measured platform asks for, and FSGSBASE and UMIP on top.
inline constexpr CpuModel kSmallModel = {
    .cr4_allowed = cr4::kTimeStampDisable | cr4::kDebugExtensions | cr4::kPageSizeExtensions | cr4::kPae | cr4::kMachineCheck | cr4::kGlobalPages |
                   cr4::kCounters | cr4::kFxsave | cr4::kSimdExceptions | cr4::kUmip | cr4::kFsGsBase,
    .efer_allowed = efer::kSyscall | efer::kLongEnable | efer::kNoExecute,
    .xcr0_allowed = 0,
    .physical_bits = 40,
    .has_rdtscp = false,
};

struct VirtualCpu {
    u64 gpr[16];  ///< By Gpr.
    u64 rip;
    u64 rflags;   ///< The guest's, IF and IOPL included.
    u64 cr0, cr2, cr3, cr4, cr8, xcr0;
    u64 dr[8];    ///< 4 and 5 unused.
    u64 efer, star, lstar, cstar, sfmask, kernel_gs_base;
    u64 sysenter_cs, sysenter_esp, sysenter_eip, pat, tsc_aux;
    Segment es, cs, ss, ds, fs, gs, ldtr, tr;
    TableRegister gdtr, idtr;
    u8 cpl;       ///< 0 to 3.
    bool shadow;  ///< No interrupt before the next instruction is over (STI, MOV SS).
    bool halted;  ///< Waits for an interrupt.
    CpuModel model;

    Segment& segment(SegmentName name) { return (&es)[static_cast<u8>(name)]; }
    const Segment& segment(SegmentName name) const { return (&es)[static_cast<u8>(name)]; }

    bool long_mode() const { return efer & efer::kLongActive; }
    CodeMode code_mode() const { return long_mode() && cs.has(attribute::kLong) ? CodeMode::bits64 : CodeMode::bits32; }
    bool is64() const { return code_mode() == CodeMode::bits64; }
    u32 iopl() const { return static_cast<u32>(rflags >> 12 & 3); }
    bool interrupts_enabled() const { return rflags & rflags::kInterrupt; }
    /// Would the CPU take an interrupt now?
    bool may_interrupt() const { return interrupts_enabled() && !shadow; }
};
static_assert(offsetof(VirtualCpu, gs) - offsetof(VirtualCpu, es) == 5 * sizeof(Segment));

/// The CPU after a reset into 64-bit mode: flat segments, paging and long mode on, interrupts off, a handler for nothing.
VirtualCpu make_long_mode_cpu(const CpuModel& model, u64 rip, u64 cr3);

/// Four levels of tables: bits 63 to 47 are equal.
constexpr bool is_canonical(u64 address) { return static_cast<u64>(static_cast<i64>(address << 16) >> 16) == address; }

/// Flags that ring-3 code changes by itself: what the real CPU had at an exit is the guest's. NT is none of them: real code in ring 3
/// cannot be given it, as an IRET of the machine's own would fault.
inline constexpr u64 kRealFlags = rflags::kAll & ~(rflags::kInterrupt | rflags::kIopl | rflags::kResume | rflags::kNested);

/// What the real CPU needs for the guest's flags while it runs deprivileged: IF on, IOPL 0.
constexpr u64 real_flags(const VirtualCpu& cpu) { return (cpu.rflags & kRealFlags) | rflags::kInterrupt | rflags::kFixed; }
/// The guest's flags after it ran with `real`.
constexpr u64 virtual_flags(const VirtualCpu& cpu, u64 real) {
    return (real & kRealFlags) | (cpu.rflags & ~kRealFlags & rflags::kAll) | rflags::kFixed;
}

}  // namespace tessera::vmm
