// Which CPU an environment lives on.
#include "exokernel/core/placement.hpp"

#include "exokernel/arch/x86_64/fpu.hpp"
#include "exokernel/arch/x86_64/switch.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/guest.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/slots.hpp"

namespace tessera::kernel {
namespace {

/// On the CPU where it runs, stopped: keep everything and stop running it.
void take_off(Cpu& cpu) {
    suspend(*cpu.env, *cpu.parked_frame);
    account(cpu);
    cpu.env = nullptr;
}

/// It runs on no CPU just now.
void commit_place(Environment& env, Cpu& cpu) {
    Cpu& old = *env.home;
    if (old.fpu_owner == &env) {
        if (&old == &Cpu::here())
            fpu_store(old);
        else
            send_errand(old, fpu_store);
    }
    old.environment_ids[env.id.index()] = nobody_at(env.id.index());
    cpu.environment_ids[env.id.index()] = env.id;
    env.home = &cpu;
    env.info->cpu = static_cast<u32>(cpu.index);
    commit_residents(*env.context, cpu, 1);
    commit_residents(*env.context, old, -1);
    move_guests(env, old, cpu);
    refresh_gates(env);
    look_again(cpu);
}

}  // namespace

Outcome place(const EnvPlace::Args& args, const TrapFrame& frame) {
    Exclusive exclusive;
    Cpu& here = Cpu::here();
    Environment& env = *here.env;
    Environment* target = &env;
    if (args.environment.value != 0) {
        const Presented shown = TRY(check_capability(env, args.environment, ResourceKind::environment, Right::use));
        target = TRY(check_environment(*shown, shown->first));
    }
    if (args.cpu >= information.cpus) return Error::out_of_range;
    Cpu& cpu = cpu_at(args.cpu);
    Cpu& old = *target->home;
    if (&old == &cpu) return Done{};
    // It stands in a system call of its own, behind this one: it can be moved when that is over.
    if (target != &env && old.env == target && old.parked_frame == nullptr) return Error::busy;

    if (target == &env) {
        suspend(env, frame);
        env.frame.regs.rax = env.frame.regs.rdx = 0;
        account(here);
        here.env = nullptr;
    } else if (old.env == target) {
        send_errand(old, take_off);
    }
    commit_place(*target, cpu);
    if (target == &env) run_next_slot(here);
    return Done{};
}

}  // namespace tessera::kernel
