// Near branches, taken on the software copy of the CPU.
#include "libos/vmm/instructions/branch.hpp"

#include "libos/vmm/instructions/emulation.hpp"

namespace tessera::vmm {

bool Emulation::take_branch() {
    if (!cpu_.is64()) return unsupported();
    u64 target = 0, released = 0;
    const Branch branch = branch_of(in);
    switch (branch) {
        case Branch::call: case Branch::jump: target = branch_target(in, cpu_.rip); break;
        case Branch::near_return:
            if (!pop(0, 8, target)) return false;
            released = 8 + static_cast<u64>(in.immediate & 0xffff);
            break;
        case Branch::indirect_call: case Branch::indirect_jump: {
            if (in.mod() == 3) {
                target = cpu_.gpr[in.rm()];
                break;
            }
            u64 address;
            if (!operand_address(address, 8) || !read(address, &target, 8, as_code())) return false;
            break;
        }
        default: return unsupported();
    }
    if (!is_canonical(target)) return raise(kProtection, 0);
    if ((branch == Branch::call || branch == Branch::indirect_call) && !push(8, next_rip_)) return false;
    set_rsp(cpu_.gpr[kRsp] + released);
    cpu_.rip = target;
    cpu_.rflags &= ~rflags::kResume;
    return finish_elsewhere();
}

Emulated emulate_branch(const VirtualMachine& machine, const Instruction& in) {
    const u64 flags = machine.cpu.rflags;
    Emulation emulation(machine, in);
    if (!emulation.take_branch())
        return {emulation.supported ? Ending::exception : Ending::unsupported, Sensitive::none, emulation.exception};
    if (!(flags & rflags::kTrap)) return {Ending::done, Sensitive::none, {}};
    machine.cpu.dr[6] |= dr6::kSingleStep;
    return {Ending::exception, Sensitive::none, Exception::plain(kDebug)};
}

}  // namespace tessera::vmm
