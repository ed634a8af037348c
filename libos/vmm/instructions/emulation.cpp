// From an instruction to its family; operands, memory and the stack.
#include "libos/vmm/instructions/emulation.hpp"

#include <algorithm>

namespace tessera::vmm {

bool Emulation::run(Sensitive what) {
    if (in.lock) return raise(kInvalidOpcode);
    switch (what) {
        case Sensitive::cli: return on_cli();
        case Sensitive::sti: return on_sti();
        case Sensitive::pushf: return on_pushf();
        case Sensitive::popf: return on_popf();
        case Sensitive::clac: return on_alignment(false);
        case Sensitive::stac: return on_alignment(true);
        case Sensitive::hlt: return on_hlt();
        case Sensitive::in: return on_port(true);
        case Sensitive::out: return on_port(false);
        case Sensitive::ins: return on_port_string(true);
        case Sensitive::outs: return on_port_string(false);
        case Sensitive::mov_from_cr: return on_mov_cr(false);
        case Sensitive::mov_to_cr: return on_mov_cr(true);
        case Sensitive::clts: return on_clts();
        case Sensitive::lmsw: return on_lmsw();
        case Sensitive::smsw: return on_smsw();
        case Sensitive::mov_from_dr: return on_mov_dr(false);
        case Sensitive::mov_to_dr: return on_mov_dr(true);
        case Sensitive::xgetbv: return on_xcr(false);
        case Sensitive::xsetbv: return on_xcr(true);
        case Sensitive::cpuid: return on_cpuid();
        case Sensitive::rdmsr: return on_msr(false);
        case Sensitive::wrmsr: return on_msr(true);
        case Sensitive::rdtsc: return on_time(false);
        case Sensitive::rdtscp: return on_time(true);
        case Sensitive::rdpmc: return raise(kProtection, 0);
        case Sensitive::sgdt: return on_store_table(cpu_.gdtr);
        case Sensitive::sidt: return on_store_table(cpu_.idtr);
        case Sensitive::lgdt: return on_load_table(cpu_.gdtr);
        case Sensitive::lidt: return on_load_table(cpu_.idtr);
        case Sensitive::sldt: return on_store_selector(cpu_.ldtr.selector);
        case Sensitive::str: return on_store_selector(cpu_.tr.selector);
        case Sensitive::lldt: return on_lldt();
        case Sensitive::ltr: return on_ltr();
        case Sensitive::lar: case Sensitive::lsl: case Sensitive::verr: case Sensitive::verw: return on_inspect(what);
        case Sensitive::mov_from_segment: return on_mov_from_segment();
        case Sensitive::mov_to_segment: return on_mov_to_segment();
        case Sensitive::push_segment: return on_push_segment();
        case Sensitive::pop_segment: return on_pop_segment();
        case Sensitive::load_far_pointer: return on_load_far_pointer();
        case Sensitive::read_base: return on_base(false);
        case Sensitive::write_base: return on_base(true);
        case Sensitive::swapgs: return on_swapgs();
        case Sensitive::syscall: return on_syscall();
        case Sensitive::sysret: return on_sysret();
        case Sensitive::iret: return on_return(true);
        case Sensitive::far_return: return on_return(false);
        case Sensitive::far_jump: return on_far_transfer(false);
        case Sensitive::far_call: return on_far_transfer(true);
        case Sensitive::int_n: return on_interrupt(static_cast<u8>(in.immediate), true);
        case Sensitive::int3: return on_interrupt(kBreakpoint, true);
        case Sensitive::int1: return on_interrupt(kDebug, false);
        case Sensitive::invlpg: return on_invlpg();
        case Sensitive::invd: case Sensitive::wbinvd: return only_kernel() && finish();
        // The guest's CPU has not got them.
        case Sensitive::monitor: case Sensitive::mwait: case Sensitive::rdpkru: case Sensitive::wrpkru: case Sensitive::xsaves:
        case Sensitive::xrstors: case Sensitive::rdpid: case Sensitive::sysenter: case Sensitive::sysexit: case Sensitive::invpcid:
        case Sensitive::vmx: case Sensitive::svm: case Sensitive::getsec: case Sensitive::rsm: return raise(kInvalidOpcode);
        case Sensitive::none: case Sensitive::count: break;
    }
    return unsupported();
}

bool Emulation::check_range(u64 address, u64 length, bool stack) {
    if (!cpu_.is64()) return address + length - 1 <= 0xffff'ffff || raise(stack ? kStackFault : kProtection, 0);
    const u64 last = address + length - 1;
    const bool good = is_canonical(address) && is_canonical(last) && last >= address;
    return good || raise(stack ? kStackFault : kProtection, external);
}

bool Emulation::read_system(u64 address, void* to, u64 length) {
    return check_range(address, length, false) && read(address, to, length, as_cpu());
}

u64 Emulation::gpr(u8 number, u32 size) const {
    const u64 value = cpu_.gpr[number];
    return size >= 8 ? value : value & ((u64{1} << 8 * size) - 1);
}

void Emulation::set_gpr(u8 number, u32 size, u64 value) {
    u64& word = cpu_.gpr[number];
    if (size >= 8)
        word = value;
    else if (size == 4)
        word = value & 0xffff'ffff;
    else
        word = (word & ~((u64{1} << 8 * size) - 1)) | (value & ((u64{1} << 8 * size) - 1));
}

u64 Emulation::effective_address() const {
    const u32 size = in.address_size();
    u64 offset = static_cast<u64>(in.displacement);
    if (size == 2) {
        constexpr u8 kBases[8] = {kRbx, kRbx, kRbp, kRbp, kRsi, kRdi, kRbp, kRbx};
        constexpr u8 kIndices[8] = {kRsi, kRdi, kRsi, kRdi, kNoRegister, kNoRegister, kNoRegister, kNoRegister};
        const u8 rm = in.modrm & 7;
        if (rm != 6 || in.mod() != 0) offset += cpu_.gpr[kBases[rm]];
        if (kIndices[rm] != kNoRegister) offset += cpu_.gpr[kIndices[rm]];
        return offset & 0xffff;
    }
    if (in.is_rip_relative()) offset += next_rip_;
    if (in.base() != kNoRegister) offset += cpu_.gpr[in.base()];
    if (in.index() != kNoRegister) offset += cpu_.gpr[in.index()] << in.scale();
    return size == 8 ? offset : offset & 0xffff'ffff;
}

u64 Emulation::add_segment(SegmentName segment, u64 offset) const {
    if (!cpu_.is64()) return (cpu_.segment(segment).base + offset) & 0xffff'ffff;
    const bool has_base = segment == SegmentName::fs || segment == SegmentName::gs;
    return has_base ? cpu_.segment(segment).base + offset : offset;
}

bool Emulation::operand_address(u64& address, u64 length) {
    // In 16-bit addresses bp is a base as well, which matters for the segment and thereby the exception only.
    const bool on_stack = in.address_size() == 2 ? ((in.modrm & 7) == 2 || (in.modrm & 7) == 3 || ((in.modrm & 7) == 6 && in.mod() != 0))
                                                 : in.base() == kRsp || in.base() == kRbp;
    const SegmentName segment = in.segment != SegmentName::none ? in.segment : on_stack ? SegmentName::ss : SegmentName::ds;
    address = add_segment(segment, effective_address());
    return check_range(address, length, segment == SegmentName::ss);
}

bool Emulation::read_operand16(u16& value) {
    if (!in.has_memory()) {
        value = static_cast<u16>(cpu_.gpr[in.rm()]);
        return true;
    }
    u64 address;
    return operand_address(address, 2) && read(address, &value, 2, as_code());
}

bool Emulation::write_operand(u64 value, u32 register_size) {
    if (!in.has_memory()) {
        set_gpr(in.rm(), register_size, value);
        return true;
    }
    u64 address;
    return operand_address(address, 2) && write(address, &value, 2, as_code(true));
}

/// Where not all of them can be read, each pop says for itself what stands in its way, if it comes to that.
void Emulation::read_ahead(u64 words) {
    const u64 rsp = cpu_.gpr[kRsp], bytes = words * 8;
    Exception ignored;
    if (cpu_.is64() && is_canonical(rsp) && is_canonical(rsp + bytes - 1) && rsp + bytes > rsp && machine_.memory.read(rsp, ahead_, bytes, as_code(), ignored))
        ahead_count_ = words;
}

bool Emulation::pop(u64 offset, u32 size, u64& value) {
    if (size == 8 && offset / 8 < ahead_count_) {
        value = ahead_[offset / 8];
        return true;
    }
    const u64 address = add_segment(SegmentName::ss, (cpu_.gpr[kRsp] + offset) & stack_mask());
    value = 0;
    return check_range(address, size, true) && read(address, &value, size, as_code());
}

bool Emulation::push(u32 size, u64 value) {
    const u64 rsp = (cpu_.gpr[kRsp] - size) & stack_mask();
    const u64 address = add_segment(SegmentName::ss, rsp);
    if (!check_range(address, size, true) || !write(address, &value, size, as_code(true))) return false;
    set_rsp(rsp);
    return true;
}

bool fetch(const VirtualMachine& machine, Instruction& in, Exception& fault) {
    u8 bytes[kMaxInstructionLength];
    return fetch_at(machine, machine.cpu.rip, bytes, in, fault);
}

bool fetch_at(const VirtualMachine& machine, u64 rip, u8 (&bytes)[kMaxInstructionLength], Instruction& in, Exception& fault) {
    const VirtualCpu& cpu = machine.cpu;
    const u64 address = cpu.is64() ? rip : (cpu.cs.base + rip) & 0xffff'ffff;
    if (!is_canonical(address)) {
        fault = Exception::with_error(kProtection, 0);
        return false;
    }
    const Access access{false, true, cpu.cpl == 3};
    // The next page is looked at only when the instruction goes on there: it need not be mapped otherwise.
    u64 length = std::min<u64>(kMaxInstructionLength, kPageSize - address % kPageSize);
    if (!machine.memory.read(address, bytes, length, access, fault)) return false;
    Decoded decoded = decode(bytes, length, cpu.code_mode(), in);
    if (decoded == Decoded::truncated) {
        const u64 rest = address + length;
        if (!is_canonical(rest)) {
            fault = Exception::with_error(kProtection, 0);
            return false;
        }
        if (!machine.memory.read(rest, bytes + length, kMaxInstructionLength - length, access, fault)) return false;
        decoded = decode(bytes, kMaxInstructionLength, cpu.code_mode(), in);
    }
    if (decoded == Decoded::ok) return true;
    fault = decoded == Decoded::invalid ? Exception::plain(kInvalidOpcode) : Exception::with_error(kProtection, 0);
    return false;
}

Emulated emulate(const VirtualMachine& machine) {
    Instruction in;
    Exception fault{};
    if (!fetch(machine, in, fault)) return {Ending::exception, Sensitive::none, fault};
    return emulate(machine, in);
}

}  // namespace tessera::vmm
