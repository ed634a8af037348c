// Instructions on flags, the interrupt flag above all, and HLT.
#include "libos/vmm/instructions/emulation.hpp"

namespace tessera::vmm {

bool Emulation::on_cli() {
    if (cpu_.cpl > cpu_.iopl()) return raise(kProtection, 0);
    cpu_.rflags &= ~rflags::kInterrupt;
    return finish();
}

bool Emulation::on_sti() {
    if (cpu_.cpl > cpu_.iopl()) return raise(kProtection, 0);
    keeps_shadow_ = !cpu_.interrupts_enabled();
    cpu_.rflags |= rflags::kInterrupt;
    return finish();
}

bool Emulation::on_pushf() {
    // RF and VM are never seen on the stack.
    return push(in.stack_operand_size(), cpu_.rflags & ~(rflags::kResume | rflags::kVm)) && finish();
}

u64 Emulation::flags_that_change(u32 size) const {
    u64 changes = rflags::kAll & ~(rflags::kInterrupt | rflags::kIopl);
    if (cpu_.cpl <= cpu_.iopl()) changes |= rflags::kInterrupt;
    if (cpu_.cpl == 0) changes |= rflags::kIopl;
    return size == 2 ? changes & 0xffff : changes;
}

bool Emulation::on_popf() {
    const u32 size = in.stack_operand_size();
    u64 value;
    if (!pop(0, size, value)) return false;
    const u64 changes = flags_that_change(size);
    cpu_.rflags = (cpu_.rflags & ~changes) | (value & changes) | rflags::kFixed;
    set_rsp(cpu_.gpr[kRsp] + size);
    return finish();
}

bool Emulation::on_alignment(bool set) {
    if (!(cpu_.model.cr4_allowed & cr4::kSmap) || cpu_.cpl != 0) return raise(kInvalidOpcode);
    cpu_.rflags = set ? cpu_.rflags | rflags::kAlignment : cpu_.rflags & ~rflags::kAlignment;
    return finish();
}

bool Emulation::on_hlt() {
    if (!only_kernel()) return false;
    cpu_.halted = true;
    return finish();
}

}  // namespace tessera::vmm
