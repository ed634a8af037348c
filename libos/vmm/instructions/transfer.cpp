// Transfers of control between levels and segments: system calls, returns, far jumps and software interrupts.
#include <initializer_list>

#include "libos/vmm/instructions/emulation.hpp"

namespace tessera::vmm {

namespace {

/// Segments that SYSCALL and SYSRET set without looking into any table.
Segment flat_code(u16 selector, u32 dpl, bool to64) {
    const u16 size = to64 ? attribute::kLong : attribute::kBig;
    const u16 bits = attribute::kPresent | attribute::kMemory | attribute::kCode | attribute::kWritable | attribute::kAccessed | attribute::kPages;
    return {selector, attribute::with_dpl(static_cast<u16>(bits | size), dpl), 0xffff'ffff, 0};
}
Segment flat_data(u16 selector, u32 dpl) {
    const u16 bits = attribute::kPresent | attribute::kMemory | attribute::kWritable | attribute::kAccessed | attribute::kPages | attribute::kBig;
    return {selector, attribute::with_dpl(bits, dpl), 0xffff'ffff, 0};
}

}  // namespace

bool Emulation::on_syscall() {
    if (!(cpu_.efer & efer::kSyscall) || !cpu_.long_mode()) return raise(kInvalidOpcode);
    const bool from64 = cpu_.is64();
    cpu_.gpr[kRcx] = next_rip_;
    cpu_.gpr[kR11] = cpu_.rflags & ~rflags::kResume;
    const u16 selector = static_cast<u16>(cpu_.star >> 32) & 0xfffc;
    cpu_.cs = flat_code(selector, 0, true);
    cpu_.ss = flat_data(static_cast<u16>(selector + 8), 0);
    cpu_.cpl = 0;
    cpu_.rflags = (cpu_.rflags & ~(cpu_.sfmask | rflags::kResume)) | rflags::kFixed;
    cpu_.rip = from64 ? cpu_.lstar : cpu_.cstar;
    return finish_elsewhere();
}

bool Emulation::on_sysret() {
    if (!(cpu_.efer & efer::kSyscall) || !cpu_.is64()) return raise(kInvalidOpcode);
    if (!only_kernel()) return false;
    const bool to64 = in.rex_w();
    // Intel's CPUs raise this still as the kernel, AMD's already as the user: the safer of the two for whoever forgets to check.
    if (to64 && !is_canonical(cpu_.gpr[kRcx])) return raise(kProtection, 0);
    const u16 base = static_cast<u16>(cpu_.star >> 48);
    cpu_.cs = flat_code(static_cast<u16>((base + (to64 ? 16 : 0)) | 3), 3, to64);
    cpu_.ss = flat_data(static_cast<u16>((base + 8) | 3), 3);
    cpu_.cpl = 3;
    cpu_.rip = to64 ? cpu_.gpr[kRcx] : cpu_.gpr[kRcx] & 0xffff'ffff;
    constexpr u64 kReach = rflags::kAll & ~rflags::kResume;
    cpu_.rflags = (cpu_.gpr[kR11] & kReach) | rflags::kFixed;
    return finish_elsewhere();
}

bool Emulation::check_code_return(u16 selector, Descriptor& out) {
    if ((selector & 0xfffc) == 0) return raise(kProtection, 0);
    if (!read_descriptor(selector, out)) return false;
    const Segment& segment = out.segment;
    const u32 rpl = selector & 3;
    const bool conforming = segment.has(attribute::kConforming);
    const bool good = segment.has(attribute::kMemory) && segment.has(attribute::kCode) && rpl >= cpu_.cpl &&
                      (conforming ? segment.dpl() <= rpl : segment.dpl() == rpl) && !(segment.has(attribute::kLong) && segment.has(attribute::kBig));
    if (!good) return raise_selector(kProtection, selector);
    return segment.has(attribute::kPresent) || raise_selector(kNotPresent, selector);
}

bool Emulation::check_stack_return(u16 selector, u32 cpl, bool to64, Segment& out) {
    if ((selector & 0xfffc) == 0) {
        if (!to64 || cpl == 3 || (selector & 3u) != cpl) return raise(kProtection, 0);
        out = {selector, attribute::with_dpl(0, cpl), 0, 0};
        return true;
    }
    Descriptor descriptor;
    if (!read_descriptor(selector, descriptor)) return false;
    Segment& segment = descriptor.segment;
    const bool good = segment.has(attribute::kMemory) && !segment.has(attribute::kCode) && segment.has(attribute::kWritable) &&
                      (selector & 3u) == cpl && segment.dpl() == cpl;
    if (!good) return raise_selector(kProtection, selector);
    if (!segment.has(attribute::kPresent)) return raise_selector(kStackFault, selector);
    if (!mark(descriptor, attribute::kAccessed)) return false;
    segment.attributes |= attribute::kAccessed;
    out = segment;
    return true;
}

bool Emulation::check_target(const Segment& code, u64 rip) {
    return (code.has(attribute::kLong) ? is_canonical(rip) : rip <= code.limit) || raise(kProtection, 0);
}

/// Data segments of the level that is left must not be of use to the one that is entered. Null ones lose their RPL, but for FS and GS:
/// those keep what they have with their base, as TCG has it, where the manual (SDM vol. 2, IRET) speaks of all four.
void Emulation::forget_inner_segments() {
    for (const SegmentName name : {SegmentName::es, SegmentName::ds, SegmentName::fs, SegmentName::gs}) {
        Segment& segment = cpu_.segment(name);
        if ((segment.selector & 0xfffc) == 0) {
            if (name == SegmentName::es || name == SegmentName::ds) segment.selector = 0;
            continue;
        }
        const bool conforming = segment.has(attribute::kCode) && segment.has(attribute::kConforming);
        if (!conforming && segment.dpl() < cpu_.cpl) segment = {0, 0, 0, segment.base};
    }
}

/// IRET and far RET. In 64-bit mode IRET takes five words always, RET two or, to an outer level, four.
bool Emulation::on_return(bool interrupt) {
    if (!cpu_.is64()) return unsupported();
    const u32 size = in.operand_size();
    if (interrupt && (cpu_.rflags & rflags::kNested)) return raise(kProtection, 0);
    if (interrupt && size == 8) read_ahead(5);
    u64 rip, selector, flags = 0;
    if (!pop(0, size, rip) || !pop(size, size, selector) || (interrupt && !pop(2 * size, size, flags))) return false;
    Descriptor code;
    if (!check_code_return(static_cast<u16>(selector), code)) return false;
    const u32 cpl = selector & 3;
    const bool outer = cpl != cpu_.cpl, to64 = code.segment.has(attribute::kLong);
    const u64 released = interrupt ? 0 : static_cast<u64>(in.immediate & 0xffff);
    u64 rsp = cpu_.gpr[kRsp] + 2 * size + released;
    Segment stack = cpu_.ss;
    if (interrupt || outer) {
        const u64 at = interrupt ? 3 * size : 2 * size + released;
        u64 stack_selector;
        if (!pop(at, size, rsp) || !pop(at + size, size, stack_selector)) return false;
        if (!check_stack_return(static_cast<u16>(stack_selector), cpl, to64, stack)) return false;
        rsp += outer ? released : 0;
    }
    if (!check_target(code.segment, rip) || !mark(code, attribute::kAccessed)) return false;
    code.segment.attributes |= attribute::kAccessed;

    if (interrupt) {
        const u64 changes = flags_that_change(size);
        cpu_.rflags = (cpu_.rflags & ~changes) | (flags & changes) | rflags::kFixed;
    } else {
        cpu_.rflags &= ~rflags::kResume;
    }
    cpu_.cs = code.segment;
    cpu_.ss = stack;
    cpu_.cpl = static_cast<u8>(cpl);
    cpu_.rip = rip;
    cpu_.gpr[kRsp] = to64 ? rsp : rsp & 0xffff'ffff;
    if (outer) forget_inner_segments();
    return finish_elsewhere();
}

/// JMP and CALL through a far pointer in memory, to a code segment of the same level.
bool Emulation::on_far_transfer(bool call) {
    if (!in.has_memory()) return raise(kInvalidOpcode);
    if (!cpu_.is64()) return unsupported();
    // AMD's CPUs know no 64-bit offset here, Intel's do; a guest that writes REX.W means it.
    const u32 size = in.operand_size();
    u64 address, rip = 0;
    u16 selector;
    if (!operand_address(address, size + 2) || !read(address, &rip, size, as_code()) || !read(address + size, &selector, 2, as_code())) return false;
    if ((selector & 0xfffc) == 0) return raise(kProtection, 0);
    Descriptor code;
    if (!read_descriptor(selector, code)) return false;
    Segment& segment = code.segment;
    const bool conforming = segment.has(attribute::kConforming);
    const bool good = segment.has(attribute::kMemory) && segment.has(attribute::kCode) &&
                      (conforming ? segment.dpl() <= cpu_.cpl : segment.dpl() == cpu_.cpl && (selector & 3) <= cpu_.cpl) &&
                      !(segment.has(attribute::kLong) && segment.has(attribute::kBig));
    if (!good) return raise_selector(kProtection, selector);
    if (!segment.has(attribute::kPresent)) return raise_selector(kNotPresent, selector);
    if (!check_target(segment, rip) || !mark(code, attribute::kAccessed)) return false;
    if (call) {
        const u64 old_rsp = cpu_.gpr[kRsp];
        if (!push(size, cpu_.cs.selector)) return false;
        if (!push(size, next_rip_)) {
            cpu_.gpr[kRsp] = old_rsp;
            return false;
        }
    }
    segment.selector = static_cast<u16>((selector & 0xfffc) | cpu_.cpl);
    segment.attributes |= attribute::kAccessed;
    cpu_.cs = segment;
    cpu_.rip = rip;
    cpu_.rflags &= ~rflags::kResume;
    return finish_elsewhere();
}

bool Emulation::on_interrupt(u8 vector, bool software) {
    if (!software) {
        // ICEBP is an exception of its own kind: it goes where #DB goes, and respects no gate's level.
        external = 1;
    }
    return deliver(vector, software, nullptr, next_rip_, cpu_.rflags & ~rflags::kResume);
}

}  // namespace tessera::vmm
