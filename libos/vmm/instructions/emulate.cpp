// One instruction from beginning to end: what is the same for all of them is here.
#include "libos/vmm/instructions/emulate.hpp"

#include "libos/vmm/instructions/emulation.hpp"

namespace tessera::vmm {

namespace {

/// Does a single-step trap follow? These change TF in a way that the CPU looks at afterwards, or hold debug exceptions off.
bool steps_by_new_flag(Sensitive what) { return what == Sensitive::syscall || what == Sensitive::sysret; }
bool never_steps(const Instruction& in, Sensitive what) {
    const bool loads_ss = (what == Sensitive::mov_to_segment && in.extension() == 2) || (what == Sensitive::load_far_pointer && in.opcode == 0xb2);
    return loads_ss || what == Sensitive::int_n || what == Sensitive::int3 || what == Sensitive::int1;
}

}  // namespace

Emulated emulate(const VirtualMachine& machine, const Instruction& in, Sensitive what) {
    if (what == Sensitive::none) return {Ending::ordinary, what, {}};
    VirtualCpu& cpu = machine.cpu;
    const u64 old_flags = cpu.rflags;
    Emulation emulation(machine, in);
    if (!emulation.run(what))
        return {emulation.supported ? Ending::exception : Ending::unsupported, what, emulation.exception};
    if (emulation.again) return {Ending::again, what, {}};
    const u64 trap = steps_by_new_flag(what) ? cpu.rflags : old_flags;
    if ((trap & rflags::kTrap) && !never_steps(in, what)) {
        cpu.dr[6] |= dr6::kSingleStep;
        cpu.halted = false;  // the trap ends a halt at once
        return {Ending::exception, what, Exception::plain(kDebug)};
    }
    return {what == Sensitive::hlt ? Ending::halted : Ending::done, what, {}};
}

}  // namespace tessera::vmm
