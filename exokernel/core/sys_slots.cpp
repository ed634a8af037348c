// System calls on time: slots and yielding.
#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/slots.hpp"
#include "exokernel/arch/x86_64/switch.hpp"
#include "exokernel/core/syscalls.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {
namespace {

/// The slots `first`..`first + count` of a capability that is still good for each of them.
Outcome check_slot_capability(Environment& env, VirtAddr capability, Rights rights, SlotNumber first, u64 count) {
    const Presented shown = TRY(check_capability(env, capability, ResourceKind::slots, rights));
    if (count == 0 || first.value < shown->first || count > shown->count ||
        first.value - shown->first > shown->count - count)
        return Error::out_of_range;
    for (u64 i = 0; i < count; ++i)
        if (slot_infos[first.value + i].grant != shown->grant) return Error::stale_capability;
    return Done{};
}

}  // namespace

namespace {

[[gnu::noinline, gnu::cold]] Outcome yield_slowly(Cpu& cpu, EnvId id) {
    Environment& env = *cpu.env;
    Environment* target = id ? find_environment(id) : somebody_else(cpu, &env);
    const bool leaves = target != nullptr || (!id && cpu.in_grace());
    env.info->syscalls += !leaves;
    if (id && target == nullptr) return Error::not_found;
    if (id) {
        if (target->home != &cpu) return Error::elsewhere;
        target = runnable(cpu, *target);  // who waits for an answer hands on what it is given
        if (target == nullptr) return Error::asleep;
        if (target == &env) target = nullptr;
    }
    if (target == nullptr && !cpu.in_grace()) return Done{};
    leave_here(cpu, env);
    ++env.info->yields;
    if (cpu.in_grace()) {  // the slice was over already
        charge_excess(cpu, false);
        run_next_slot(cpu);
    }
    run(cpu, *target);
}

}  // namespace

// Hot: a directed yield between environments that save for themselves what is live.
Outcome on_call(const Yield::Args& args) {
    Cpu& cpu = Cpu::here();
    const u64 index = args.target.index();
    if (cpu.environment_ids[index] != args.target || cpu.attention != 0) [[unlikely]] return yield_slowly(cpu, args.target);
    Environment& target = *environments[index];
    if (target.resume != Resume::yielded) [[unlikely]] return yield_slowly(cpu, args.target);
    Environment& env = *cpu.env;
    leave_here(cpu, env);
    ++env.info->yields;
    run_straight(cpu, env, target);
}

Result<SlotNumber> on_call(const SlotTake::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    const UserBytes out = TRY(check_out<Capability>(*env.context, args.capability));
    const SlotNumber first = TRY(check_slots(args.cpu, args.first, args.count));

    const u64 grant = commit_slots(first, args.count, env);
    commit_copy_out(out, mint_capability(ResourceKind::slots, Right::release | Right::use, first.value, args.count, grant));
    return first;
}

Outcome on_call(const SlotRelease::Args& args) {
    Exclusive exclusive;
    TRY(check_slot_capability(caller(), args.capability, Right::release, args.first, args.count));

    commit_slot_release(args.first, args.count);
    return Done{};
}

Outcome on_call(const SlotRun::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    TRY(check_slot_capability(env, args.capability, Right::use, args.first, args.count));
    if (args.env && find_environment(args.env) == nullptr) return Error::not_found;

    commit_slot_run(args.first, args.count, args.env ? args.env : env.id);
    return Done{};
}

}  // namespace tessera::kernel
