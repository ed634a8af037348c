// Control, debug and model-specific registers; CPUID, time, and the bases of FS and GS.
#include "libos/vmm/instructions/emulation.hpp"

namespace tessera::vmm {

namespace {

namespace msr {
constexpr u32 kTimeStamp = 0x10, kSysenterCs = 0x174, kSysenterEsp = 0x175, kSysenterEip = 0x176, kPat = 0x277, kEfer = 0xc000'0080, kStar = 0xc000'0081,
              kLstar = 0xc000'0082, kCstar = 0xc000'0083, kSfmask = 0xc000'0084, kFsBase = 0xc000'0100, kGsBase = 0xc000'0101, kKernelGsBase = 0xc000'0102,
              kTscAux = 0xc000'0103;
}  // namespace msr

/// These hold addresses.
bool must_be_canonical(u32 index) {
    return index == msr::kLstar || index == msr::kCstar || (index >= msr::kFsBase && index <= msr::kKernelGsBase) || index == msr::kSysenterEsp ||
           index == msr::kSysenterEip;
}

bool is_valid_pat(u64 value) {
    for (u32 i = 0; i < 8; ++i) {
        const u64 type = value >> 8 * i & 0xff;
        if (type > 7 || type == 2 || type == 3) return false;
    }
    return true;
}

}  // namespace

// ---- control registers ------------------------------------------------------------------------------------

bool Emulation::set_cr0(u64 value) {
    if (value >> 32) return raise(kProtection, 0);
    value = (value & cr0::kAll) | cr0::kExtension;
    if ((value & cr0::kPaging) && !(value & cr0::kProtected)) return raise(kProtection, 0);
    if ((value & cr0::kNotWriteThrough) && !(value & cr0::kCacheDisable)) return raise(kProtection, 0);
    const u64 changed = value ^ cpu_.cr0;
    if (changed & cr0::kPaging) {
        if (value & cr0::kPaging) {
            if ((cpu_.efer & efer::kLongEnable) && (!(cpu_.cr4 & cr4::kPae) || cpu_.cs.has(attribute::kLong))) return raise(kProtection, 0);
            if (cpu_.efer & efer::kLongEnable) cpu_.efer |= efer::kLongActive;
        } else {
            if (cpu_.is64()) return raise(kProtection, 0);
            cpu_.efer &= ~efer::kLongActive;
        }
    }
    cpu_.cr0 = value;
    if (changed & (cr0::kPaging | cr0::kWriteProtect)) machine_.effects.paging_changed(PagingChange::modes);
    return true;
}

bool Emulation::set_cr3(u64 value) {
    if (cpu_.long_mode() && value >> cpu_.model.physical_bits) return raise(kProtection, 0);
    cpu_.cr3 = value;
    machine_.effects.paging_changed(PagingChange::root);
    return true;
}

bool Emulation::set_cr4(u64 value) {
    if (value & ~cpu_.model.cr4_allowed) return raise(kProtection, 0);
    if (cpu_.long_mode() && !(value & cr4::kPae)) return raise(kProtection, 0);
    const u64 changed = value ^ cpu_.cr4;
    cpu_.cr4 = value;
    constexpr u64 kAboutPaging = cr4::kPae | cr4::kPageSizeExtensions | cr4::kGlobalPages | cr4::kSmep | cr4::kSmap;
    if (changed & kAboutPaging) machine_.effects.paging_changed(PagingChange::modes);
    return true;
}

bool Emulation::on_mov_cr(bool write) {
    const u8 which = in.reg();
    if (which > 8 || which == 1 || (which >= 5 && which <= 7)) return raise(kInvalidOpcode);
    if (!only_kernel()) return false;
    const u32 size = cpu_.is64() ? 8 : 4;
    if (!write) {
        const u64 value = which == 0 ? cpu_.cr0 : which == 2 ? cpu_.cr2 : which == 3 ? cpu_.cr3 : which == 4 ? cpu_.cr4 : cpu_.cr8;
        set_gpr(in.rm(), size, value);
        return finish();
    }
    const u64 value = gpr(in.rm(), size);
    switch (which) {
        case 0: return set_cr0(value) && finish();
        case 2: cpu_.cr2 = value; return finish();
        case 3: return set_cr3(value) && finish();
        case 4: return set_cr4(value) && finish();
        default:
            if (value > 15) return raise(kProtection, 0);
            cpu_.cr8 = value;
            return finish();
    }
}

bool Emulation::on_clts() {
    if (!only_kernel()) return false;
    cpu_.cr0 &= ~cr0::kSwitched;
    return finish();
}

bool Emulation::on_lmsw() {
    if (!only_kernel()) return false;
    u16 value;
    if (!read_operand16(value)) return false;
    constexpr u64 kReach = cr0::kProtected | cr0::kMonitor | cr0::kEmulate | cr0::kSwitched;
    const u64 sticky = cpu_.cr0 & cr0::kProtected;  // LMSW enters protected mode and never leaves it
    return set_cr0((cpu_.cr0 & ~kReach) | (value & kReach) | sticky) && finish();
}

bool Emulation::on_smsw() {
    if ((cpu_.cr4 & cr4::kUmip) && cpu_.cpl != 0) return raise(kProtection, 0);
    return write_operand(cpu_.cr0, in.operand_size()) && finish();
}

bool Emulation::on_xcr(bool write) {
    if (!(cpu_.cr4 & cr4::kXsave) || in.repeat || in.operand_prefix) return raise(kInvalidOpcode);
    if (write && !only_kernel()) return false;
    if (gpr(kRcx, 4) != 0) return raise(kProtection, 0);
    if (!write) {
        set_gpr(kRax, 4, cpu_.xcr0);
        set_gpr(kRdx, 4, cpu_.xcr0 >> 32);
        return finish();
    }
    const u64 value = gpr(kRdx, 4) << 32 | gpr(kRax, 4);
    constexpr u64 kFpu = 1, kSse = 2, kAvx = 4;
    if (!(value & kFpu) || (value & ~cpu_.model.xcr0_allowed) || ((value & kAvx) && !(value & kSse))) return raise(kProtection, 0);
    cpu_.xcr0 = value;
    return finish();
}

// ---- debug registers --------------------------------------------------------------------------------------

bool Emulation::on_mov_dr(bool write) {
    u8 which = in.reg();
    if (which > 7) return raise(kInvalidOpcode);
    if (which == 4 || which == 5) {
        if (cpu_.cr4 & cr4::kDebugExtensions) return raise(kInvalidOpcode);
        which += 2;
    }
    if (!only_kernel()) return false;
    constexpr u64 kGeneralDetect = 1 << 13;
    if (cpu_.dr[7] & kGeneralDetect) {
        cpu_.dr[7] &= ~kGeneralDetect;
        cpu_.dr[6] |= kGeneralDetect;
        return raise(kDebug);
    }
    const u32 size = cpu_.is64() ? 8 : 4;
    if (!write) {
        set_gpr(in.rm(), size, cpu_.dr[which]);
        return finish();
    }
    u64 value = gpr(in.rm(), size);
    if (which >= 6 && value >> 32) return raise(kProtection, 0);
    if (which == 6) value = (value & 0xe00f) | 0xffff'0ff0;
    if (which == 7) value = (value & 0xffff'27ff) | 0x400;
    cpu_.dr[which] = value;
    return finish();
}

// ---- model-specific registers -----------------------------------------------------------------------------

bool Emulation::set_efer(u64 value) {
    if (value & ~(cpu_.model.efer_allowed | efer::kLongActive)) return raise(kProtection, 0);
    if (((value ^ cpu_.efer) & efer::kLongEnable) && (cpu_.cr0 & cr0::kPaging)) return raise(kProtection, 0);
    const u64 changed = value ^ cpu_.efer;
    cpu_.efer = (value & ~efer::kLongActive) | (cpu_.efer & efer::kLongActive);  // LMA is the CPU's to set
    if (changed & efer::kNoExecute) machine_.effects.paging_changed(PagingChange::modes);
    return true;
}

u64* Emulation::plain_msr(u32 index) {
    switch (index) {
        case msr::kSysenterCs: return &cpu_.sysenter_cs;
        case msr::kSysenterEsp: return &cpu_.sysenter_esp;
        case msr::kSysenterEip: return &cpu_.sysenter_eip;
        case msr::kPat: return &cpu_.pat;
        case msr::kStar: return &cpu_.star;
        case msr::kLstar: return &cpu_.lstar;
        case msr::kCstar: return &cpu_.cstar;
        case msr::kSfmask: return &cpu_.sfmask;
        case msr::kFsBase: return &cpu_.fs.base;
        case msr::kGsBase: return &cpu_.gs.base;
        case msr::kKernelGsBase: return &cpu_.kernel_gs_base;
        case msr::kTscAux: return cpu_.model.has_rdtscp ? &cpu_.tsc_aux : nullptr;
        default: return nullptr;
    }
}

bool Emulation::read_msr(u32 index, u64& value) {
    if (const u64* word = plain_msr(index))
        value = *word;
    else if (index == msr::kEfer)
        value = cpu_.efer;
    else if (index == msr::kTimeStamp)
        value = machine_.effects.time_stamp();
    else if (!machine_.effects.msr_read(index, value))
        return raise(kProtection, 0);
    return true;
}

bool Emulation::write_msr(u32 index, u64 value) {
    if (index == msr::kEfer) return set_efer(value);
    u64* word = plain_msr(index);
    if (!word) return machine_.effects.msr_write(index, value) || raise(kProtection, 0);
    if (must_be_canonical(index) && !is_canonical(value)) return raise(kProtection, 0);
    if (index == msr::kPat && !is_valid_pat(value)) return raise(kProtection, 0);
    if ((index == msr::kSfmask || index == msr::kTscAux) && value >> 32) return raise(kProtection, 0);
    *word = value;
    return true;
}

bool Emulation::on_msr(bool write) {
    if (!only_kernel()) return false;
    const u32 index = static_cast<u32>(cpu_.gpr[kRcx]);
    if (write) return write_msr(index, gpr(kRdx, 4) << 32 | gpr(kRax, 4)) && finish();
    u64 value = 0;
    if (!read_msr(index, value)) return false;
    set_gpr(kRax, 4, value);
    set_gpr(kRdx, 4, value >> 32);
    return finish();
}

// ---- what the CPU tells about itself ----------------------------------------------------------------------

bool Emulation::on_cpuid() {
    const CpuidAnswer answer = machine_.effects.cpuid(static_cast<u32>(cpu_.gpr[kRax]), static_cast<u32>(cpu_.gpr[kRcx]));
    set_gpr(kRax, 4, answer.eax);
    set_gpr(kRbx, 4, answer.ebx);
    set_gpr(kRcx, 4, answer.ecx);
    set_gpr(kRdx, 4, answer.edx);
    return finish();
}

bool Emulation::on_time(bool with_processor) {
    if (with_processor && !cpu_.model.has_rdtscp) return raise(kInvalidOpcode);
    if ((cpu_.cr4 & cr4::kTimeStampDisable) && cpu_.cpl != 0) return raise(kProtection, 0);
    const u64 time = machine_.effects.time_stamp();
    set_gpr(kRax, 4, time);
    set_gpr(kRdx, 4, time >> 32);
    if (with_processor) set_gpr(kRcx, 4, cpu_.tsc_aux);
    return finish();
}

bool Emulation::on_base(bool write) {
    if (!(cpu_.cr4 & cr4::kFsGsBase) || !cpu_.is64()) return raise(kInvalidOpcode);
    u64& base = in.extension() & 1 ? cpu_.gs.base : cpu_.fs.base;
    const u32 size = in.rex_w() ? 8 : 4;
    if (!write) {
        set_gpr(in.rm(), size, base);
        return finish();
    }
    const u64 value = gpr(in.rm(), size);
    if (!is_canonical(value)) return raise(kProtection, 0);
    base = value;
    return finish();
}

bool Emulation::on_swapgs() {
    if (!cpu_.is64()) return raise(kInvalidOpcode);
    if (!only_kernel()) return false;
    const u64 base = cpu_.gs.base;
    cpu_.gs.base = cpu_.kernel_gs_base;
    cpu_.kernel_gs_base = base;
    return finish();
}

bool Emulation::on_invlpg() {
    if (!only_kernel()) return false;
    const SegmentName segment = in.segment != SegmentName::none ? in.segment : SegmentName::ds;
    const u64 address = add_segment(segment, effective_address());
    if (is_canonical(address)) machine_.effects.page_invalidated(address);
    return finish();
}

}  // namespace tessera::vmm
