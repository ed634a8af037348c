// System calls on entry points, gates, events and the board, and the calls that give the CPU away with all registers.
#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/guest.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/placement.hpp"
#include "exokernel/core/syscalls.hpp"
#include "exokernel/core/transfer.hpp"
#include "exokernel/core/user_memory.hpp"
#include "exokernel/core/wake.hpp"

namespace tessera::kernel {

Outcome on_call(const EntryPublish::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    if (args.place >= kEntriesPerEnvironment) return Error::bad_argument;
    if (args.entry.value >= kUserPages << kPageShift) return Error::bad_address;
    const UserBytes out = TRY(check_out<Capability>(*env.context, args.capability));

    commit_withdrawal(env, args.place);
    const u64 grant = frames.fresh_grant();
    env.entries[args.place] = {args.entry.value, args.word, grant};
    const u64 name = env.id.index() * kEntriesPerEnvironment + args.place;
    commit_copy_out(out, mint_capability(ResourceKind::entry, Right::call, name, 1, grant));
    return Done{};
}

Outcome on_call(const EntryWithdraw::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    if (args.place >= kEntriesPerEnvironment || env.entries[args.place].grant == 0) return Error::bad_argument;

    commit_withdrawal(env, args.place);
    return Done{};
}

Outcome on_call(const GateBind::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    if (args.gate >= kGatesPerEnvironment) return Error::bad_argument;
    if (args.capability.value == 0) {
        commit_no_gate(env, args.gate);
        return Done{};
    }
    const Presented shown = TRY(check_capability(env, args.capability, ResourceKind::entry, Right::call));
    Environment* callee = TRY(check_entry(*shown));

    commit_gate(env, args.gate, *callee, shown->first % kEntriesPerEnvironment);
    return Done{};
}

Outcome on_call(const Notify::Args& args) {
    Environment* target = TRY(check_gate(caller(), args.gate));

    __atomic_fetch_or(&target->info->events, args.events, __ATOMIC_ACQ_REL);
    kick(*target);
    return Done{};
}

Outcome on_call(const PostCapability::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    if (args.place >= kPostsPerEnvironment) return Error::bad_argument;
    Capability capability;
    if (args.capability.value != 0) {
        TRY(copy_in(*env.context, capability, args.capability, kCapabilityRootSize));
        if (capability.caveats > kMaxCaveats) return Error::bad_argument;
        if (capability.caveats != 0)
            TRY(copy_in(*env.context, capability.caveat, args.capability + kCapabilityRootSize, capability.caveats * sizeof(Caveat)));
    }

    Post& post = board[env.id.index() * kPostsPerEnvironment + args.place];
    // Order: whoever reads meanwhile finds a post that is whole, or none.
    __atomic_store_n(&post.owner, 0, __ATOMIC_RELEASE);
    post.name = args.capability.value != 0 ? args.post_name : 0;
    post.capability = capability;
    __atomic_store_n(&post.owner, args.capability.value != 0 ? static_cast<u32>(env.id.value) : 0, __ATOMIC_RELEASE);
    return Done{};
}

/// From entry.S. What comes back here goes back to the caller, all registers kept but those that a call loses.
extern "C" void on_blocking_call(TrapFrame& frame) {
    Cpu& cpu = Cpu::here();
    Registers& regs = frame.regs;
    if (regs.rax == Wait::number || regs.rax == EnvPlace::number || regs.rax == GuestRun::number) ++cpu.env->info->syscalls;  // the others count as transfers
    const auto answer = [&]() -> Result<u64> {
        switch (regs.rax) {
            case TransferAnswer::number: answer_slowly(cpu, frame);
            case EnvPlace::number:
                TRY(place({VirtAddr{regs.rdi}, regs.rsi}, frame));
                return u64{0};
            case GuestRun::number: return run_guest(cpu, {regs.rdi, regs.rsi}, frame);
            case Wait::number: return wait(cpu, {VirtAddr{regs.rdi}, regs.rsi, regs.rdx, regs.r8}, frame);
            default: return transfer_slowly(cpu, regs.rdi, frame, regs.rax == TransferSend::number);
        }
    }();
    if (cpu.guest != nullptr) return;  // on in a guest, whose registers the frame holds now
    regs.rax = static_cast<u64>(answer.error());
    regs.rdx = answer.ok() ? answer.value() : answer.failure().detail;
}

}  // namespace tessera::kernel
