// What each register accepts.
#include "libos/vmm/devices/msrs.hpp"

namespace tessera::vmm {
namespace {

/// Bits 63 to 47 are all the same: with 48-bit addresses, everything else is a #GP.
constexpr bool is_canonical(u64 address) { return static_cast<i64>(address << 16) >> 16 == static_cast<i64>(address); }

/// Eight memory types of a byte each: 0, 1, 4, 5, 6 or 7 (APM vol. 2, 7.8.1).
constexpr bool is_pat(u64 value) {
    for (u32 i = 0; i < 64; i += 8) {
        const u64 type = value >> i & 0xff;
        if (type > 7 || type == 2 || type == 3) return false;
    }
    return true;
}

constexpr u64 kEferWritable = kEferSce | kEferLme | kEferNxe;

}  // namespace

std::optional<u64> Msrs::read(u32 number) const {
    switch (static_cast<Msr>(number)) {
        case Msr::sysenter_cs:
            return sysenter_cs;
        case Msr::sysenter_esp:
            return sysenter_esp;
        case Msr::sysenter_eip:
            return sysenter_eip;
        case Msr::pat:
            return pat;
        case Msr::efer:
            return efer;
        case Msr::star:
            return star;
        case Msr::lstar:
            return lstar;
        case Msr::cstar:
            return cstar;
        case Msr::sfmask:
            return sfmask;
        case Msr::fs_base:
            return fs_base;
        case Msr::gs_base:
            return gs_base;
        case Msr::kernel_gs_base:
            return kernel_gs_base;
    }
    return std::nullopt;
}

bool Msrs::write(u32 number, u64 value, bool paging) {
    const auto set = [value](u64& to, bool allowed) {
        if (allowed) to = value;
        return allowed;
    };
    const bool canonical = is_canonical(value);
    switch (static_cast<Msr>(number)) {
        case Msr::sysenter_cs:
            return set(sysenter_cs, true);
        case Msr::sysenter_esp:
            return set(sysenter_esp, canonical);
        case Msr::sysenter_eip:
            return set(sysenter_eip, canonical);
        case Msr::pat:
            return set(pat, is_pat(value));
        case Msr::efer:
            // LME cannot change under paging; LMA follows the two, whatever is written (APM vol. 2, 3.1.7).
            if ((value & ~(kEferWritable | kEferLma)) != 0 || (paging && ((value ^ efer) & kEferLme) != 0))
                return false;
            efer = (value & kEferWritable) | (paging && (value & kEferLme) ? kEferLma : 0);
            return true;
        case Msr::star:
            return set(star, true);
        case Msr::lstar:
            return set(lstar, canonical);
        case Msr::cstar:
            return set(cstar, canonical);
        case Msr::sfmask:
            return set(sfmask, true);
        case Msr::fs_base:
            return set(fs_base, canonical);
        case Msr::gs_base:
            return set(gs_base, canonical);
        case Msr::kernel_gs_base:
            return set(kernel_gs_base, canonical);
    }
    return false;
}

}  // namespace tessera::vmm
