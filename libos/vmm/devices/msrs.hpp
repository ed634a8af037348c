// The model-specific registers of a virtual CPU: twelve, and every other one is a #GP. (AMD64 APM vol. 2, appendix A.)
//
// Where the hardware carries them for a running guest (VMLOAD and VMSAVE, the control block), the monitor exchanges the
// members here with what it carries; where it does not, this is where they are.
#pragma once

#include <optional>

#include "libos/vmm/guest_log.hpp"

namespace tessera::vmm {

enum class Msr : u32 {
    sysenter_cs = 0x174,
    sysenter_esp = 0x175,
    sysenter_eip = 0x176,
    pat = 0x277,
    efer = 0xc000'0080,
    star = 0xc000'0081,
    lstar = 0xc000'0082,
    cstar = 0xc000'0083,
    sfmask = 0xc000'0084,
    fs_base = 0xc000'0100,
    gs_base = 0xc000'0101,
    kernel_gs_base = 0xc000'0102,
};

/// Bits of EFER that a guest may set; LMA is the CPU's.
inline constexpr u64 kEferSce = 1, kEferLme = 0x100, kEferLma = 0x400, kEferNxe = 0x800;

struct Msrs {
    u64 sysenter_cs = 0, sysenter_esp = 0, sysenter_eip = 0;
    u64 pat = 0x0007'0406'0007'0406;
    u64 efer = 0;
    u64 star = 0, lstar = 0, cstar = 0, sfmask = 0;
    u64 fs_base = 0, gs_base = 0, kernel_gs_base = 0;

    /// Empty: #GP.
    std::optional<u64> read(u32 number) const;
    /// False: #GP, as there is no such register or it cannot hold this. `paging`: CR0.PG, under which LME stays.
    bool write(u32 number, u64 value, bool paging);
};

}  // namespace tessera::vmm
