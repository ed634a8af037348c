// What emulated instructions need of the machine around the virtual CPU: memory by guest-virtual address, and everything
// that a register or a port does beyond being remembered. The monitor implements both.
#pragma once

#include "libos/vmm/instructions/virtual_cpu.hpp"

namespace tessera::vmm {

/// How memory is accessed. `user`: with the rights of the guest's user mode; without it as its kernel, which is also how
/// the CPU itself looks into descriptor tables and pushes a kernel's frames.
struct Access {
    bool write = false, fetch = false, user = false;
};

/// Exceptions by vector (SDM vol. 3, 6.15).
enum Vector : u8 {
    kDivide = 0, kDebug = 1, kNmi = 2, kBreakpoint = 3, kOverflow = 4, kBounds = 5, kInvalidOpcode = 6, kDeviceMissing = 7, kDoubleFault = 8,
    kInvalidTss = 10, kNotPresent = 11, kStackFault = 12, kProtection = 13, kPageFault = 14, kFpuError = 16, kAlignmentCheck = 17,
};

struct Exception {
    u8 vector;
    bool has_error;
    u32 error;
    u64 address;  ///< Page fault: what CR2 becomes.
    constexpr bool operator==(const Exception&) const = default;
    static constexpr Exception with_error(u8 vector, u32 error) { return {vector, true, error, 0}; }
    static constexpr Exception plain(u8 vector) { return {vector, false, 0, 0}; }
    static constexpr Exception page_fault(u64 address, u32 error) { return {kPageFault, true, error, address}; }
};

/// The guest's memory, through the guest's page tables. All addresses handed in are canonical; a range may cross
/// pages, but does not wrap. False: a fault, with the #PF that the guest's own CPU would raise in `fault`. Memory that
/// the tables name but the machine has not got reads as ones and swallows writes, as a bus without anybody there.
class GuestAddressSpace {
  public:
    virtual bool read(u64 address, void* to, u64 length, Access access, Exception& fault) = 0;
    virtual bool write(u64 address, const void* from, u64 length, Access access, Exception& fault) = 0;
    /// Would it succeed? Changes nothing but the tables' accessed and dirty bits.
    virtual bool check(u64 address, u64 length, Access access, Exception& fault) = 0;

  protected:
    ~GuestAddressSpace() = default;
};

struct CpuidAnswer {
    u32 eax, ebx, ecx, edx;
};

/// What has to follow when a control register changed.
enum class PagingChange : u8 {
    root,   ///< CR3 was loaded: another address space, or the old one without its translations.
    modes,  ///< CR0.PG or WP, CR4's paging bits, EFER.NXE or LMA: every translation may mean something else.
};

/// Devices and everything else outside of the CPU. The numbers are the guest's: check them.
class MachineEffects {
  public:
    /// size: 1, 2 or 4 bytes; what is above is 0.
    virtual u32 port_read(u16 port, u32 size) = 0;
    virtual void port_write(u16 port, u32 size, u32 value) = 0;
    virtual CpuidAnswer cpuid(u32 leaf, u32 subleaf) = 0;
    virtual u64 time_stamp() = 0;
    /// Model-specific registers that VirtualCpu does not hold. False: #GP.
    virtual bool msr_read(u32 index, u64& value) = 0;
    virtual bool msr_write(u32 index, u64 value) = 0;
    virtual void paging_changed(PagingChange what) = 0;
    virtual void page_invalidated(u64 address) = 0;

  protected:
    ~MachineEffects() = default;
};

/// One virtual CPU and what is around it.
struct VirtualMachine {
    VirtualCpu& cpu;
    GuestAddressSpace& memory;
    MachineEffects& effects;
};

}  // namespace tessera::vmm
