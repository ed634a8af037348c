// Exceptions and interrupts through the guest's IDT, with the stack that its TSS names.
//
// A frame on the new stack (SDM vol. 3, 6.14.2), from high to low:
//
//   ss, rsp, rflags, cs, rip, error code if there is one      <- new rsp; the top was rounded down to 16 bytes
#include "libos/vmm/instructions/emulation.hpp"

namespace tessera::vmm {

namespace {

/// How an exception and one that comes while it is delivered go together (SDM vol. 3, table 6-5).
enum class Class { benign, contributory, page_fault };
Class class_of(u8 vector) {
    if (vector == kPageFault) return Class::page_fault;
    return vector == kDivide || (vector >= kInvalidTss && vector <= kProtection) ? Class::contributory : Class::benign;
}
bool makes_double_fault(u8 first, u8 second) {
    if (class_of(second) == Class::benign) return false;
    return class_of(first) == Class::page_fault || (class_of(first) == Class::contributory && class_of(second) == Class::contributory);
}

/// Faults are pushed with RF set, so that an instruction breakpoint does not hit twice; traps and interrupts are not.
bool is_fault(u8 vector) { return vector != kDebug && vector != kNmi && vector != kBreakpoint && vector != kOverflow && vector != kDoubleFault; }

}  // namespace

bool Emulation::read_gate(u8 vector, bool software, u64 (&gate)[2]) {
    const u32 code = vector * 8u + 2 + external;
    const u64 offset = u64{vector} * 16;
    if (offset + 15 > cpu_.idtr.limit) return raise(kProtection, code);
    if (!read_system(cpu_.idtr.base + offset, gate, 16)) return false;
    const u64 type = gate[0] >> 40 & 0x1f;
    if (type != 14 && type != 15) return raise(kProtection, code);
    if (software && (gate[0] >> 45 & 3) < cpu_.cpl) return raise(kProtection, code);
    return gate[0] >> 47 & 1 || raise(kNotPresent, code);
}

bool Emulation::read_stack_pointer(u32 offset, u64& rsp) {
    if (!cpu_.tr.has(attribute::kPresent) || offset + 7 > cpu_.tr.limit) return raise_selector(kInvalidTss, cpu_.tr.selector);
    return read_system(cpu_.tr.base + offset, &rsp, 8);
}

bool Emulation::deliver(u8 vector, bool software, const u32* error, u64 return_rip, u64 return_flags) {
    if (!cpu_.long_mode()) return unsupported();
    u64 gate[2];
    if (!read_gate(vector, software, gate)) return false;
    const u16 selector = static_cast<u16>(gate[0] >> 16);
    const u64 target = (gate[0] & 0xffff) | (gate[0] >> 32 & 0xffff'0000) | gate[1] << 32;
    const u32 stack_number = gate[0] >> 32 & 7;

    if ((selector & 0xfffc) == 0) return raise(kProtection, external);
    Descriptor code;
    if (!read_descriptor(selector, code)) return false;
    const Segment& segment = code.segment;
    const bool good = segment.has(attribute::kMemory) && segment.has(attribute::kCode) && segment.dpl() <= cpu_.cpl && segment.has(attribute::kLong) &&
                      !segment.has(attribute::kBig);
    if (!good) return raise_selector(kProtection, selector);
    if (!segment.has(attribute::kPresent)) return raise_selector(kNotPresent, selector);
    const u32 cpl = segment.has(attribute::kConforming) ? cpu_.cpl : segment.dpl();
    const bool inner = cpl < cpu_.cpl;

    u64 rsp = cpu_.gpr[kRsp];
    if (stack_number != 0 ? !read_stack_pointer(36 + 8 * (stack_number - 1), rsp) : inner && !read_stack_pointer(4 + 8 * cpl, rsp)) return false;
    u64 frame[6] = {error ? *error : 0, return_rip, cpu_.cs.selector, return_flags & ~rflags::kVm, cpu_.gpr[kRsp], cpu_.ss.selector};
    const u32 first = error ? 0 : 1;
    const u64 bytes = (6 - first) * 8;
    rsp = (rsp & ~u64{15}) - bytes;
    if (!is_canonical(rsp) || !is_canonical(rsp + bytes - 1) || rsp + bytes < rsp) return raise(kStackFault, external);
    if (!is_canonical(target)) return raise(kProtection, external);
    if (!mark(code, attribute::kAccessed)) return false;
    if (!write(rsp, frame + first, bytes, {true, false, cpl == 3})) return false;

    cpu_.cs = segment;
    cpu_.cs.selector = static_cast<u16>((selector & 0xfffc) | cpl);
    cpu_.cs.attributes |= attribute::kAccessed;
    if (inner) cpu_.ss = {static_cast<u16>(cpl), attribute::with_dpl(0, cpl), 0, 0};
    cpu_.cpl = static_cast<u8>(cpl);
    cpu_.gpr[kRsp] = rsp;
    cpu_.rip = target;
    cpu_.rflags &= ~(rflags::kTrap | rflags::kNested | rflags::kResume | rflags::kVm);
    if ((gate[0] >> 40 & 1) == 0) cpu_.rflags &= ~rflags::kInterrupt;
    return finish_elsewhere();
}

Delivered deliver_exception(const VirtualMachine& machine, Exception exception) {
    VirtualCpu& cpu = machine.cpu;
    bool doubled = false;
    // Every further exception is of a later kind, or the same one again for good: few rounds settle it.
    for (u32 rounds = 0; rounds < 8; ++rounds) {
        Emulation emulation(machine);
        emulation.external = 1;  // whatever goes wrong from here on, no instruction asked for it
        if (exception.vector == kPageFault) cpu.cr2 = exception.address;
        const u64 flags = cpu.rflags | (is_fault(exception.vector) ? rflags::kResume : 0);
        if (emulation.deliver(exception.vector, false, exception.has_error ? &exception.error : nullptr, cpu.rip, flags)) {
            cpu.halted = false;
            return Delivered::done;
        }
        if (!emulation.supported) return Delivered::unsupported;
        if (doubled) return Delivered::ended;
        if (makes_double_fault(exception.vector, emulation.exception.vector)) {
            doubled = true;
            exception = Exception::with_error(kDoubleFault, 0);
        } else {
            exception = emulation.exception;
        }
    }
    return Delivered::ended;
}

Delivered deliver_interrupt(const VirtualMachine& machine, u8 vector) {
    Emulation emulation(machine);
    emulation.external = 1;
    if (emulation.deliver(vector, false, nullptr, machine.cpu.rip, machine.cpu.rflags)) {
        machine.cpu.halted = false;
        return Delivered::done;
    }
    if (!emulation.supported) return Delivered::unsupported;
    return deliver_exception(machine, emulation.exception);
}

}  // namespace tessera::vmm
