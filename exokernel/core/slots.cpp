#include "exokernel/core/slots.hpp"

#include <bit>

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/fpu.hpp"
#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/arch/x86_64/traps.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/core/repossession.hpp"
#include "exokernel/core/revocation.hpp"
#include "exokernel/arch/x86_64/switch.hpp"
#include "exokernel/core/trace.hpp"
#include "exokernel/core/transfer.hpp"
#include "exokernel/core/upcalls.hpp"
#include "exokernel/drivers/timer.hpp"

namespace tessera::kernel {
namespace {

u64 quantum, grace;

static_assert(kSlotsPerCpu == 64);
u64 occupied[kMaxCpus];  // bit n: slot n of the CPU runs somebody

void set_slot(u64 slot, SlotInfo info) {
    slot_infos[slot] = info;
    const u64 bit = u64{1} << slot % kSlotsPerCpu;
    u64& mask = occupied[slot / kSlotsPerCpu];
    mask = info.runs != 0 ? mask | bit : mask & ~bit;
    look_again(cpu_at(slot / kSlotsPerCpu));
}

/// Interrupt this CPU `ticks` from now.
void set_alarm(Cpu& cpu, u64 now, u64 ticks) {
    cpu.alarm = cpu.due = now + ticks;
    set_timer(ticks);
}

/// A slot, and who runs when it comes; nullptr: nobody can.
struct Turn {
    Environment* env;
    u64 position;
};

/// Call `each(position)` for every slot that runs somebody, from the one behind `position` on, round the vector and up to
/// itself, until one answers true.
template <class Each>
void find_occupied(const Cpu& cpu, u64 position, Each&& each) {
    u64 ahead = std::rotr(occupied[cpu.index], static_cast<int>((position + 1) % kSlotsPerCpu));
    for (; ahead != 0; ahead &= ahead - 1)
        if (each((position + 1 + static_cast<u64>(std::countr_zero(ahead))) % kSlotsPerCpu)) return;
}
Environment* runs_in(const Cpu& cpu, u64 position) {
    return find_environment(EnvId{slot_infos[cpu.index * kSlotsPerCpu + position].runs});
}

/// The first slot behind `position` that somebody other than `but`, who runs, can use.
Turn next_turn(Cpu& cpu, u64 position, const Environment* but = nullptr) {
    Turn turn{nullptr, position};
    find_occupied(cpu, position, [&](u64 at) {
        Environment* owner = runs_in(cpu, at);
        Environment* env = owner == nullptr || owner == but ? nullptr : runnable(cpu, *owner);
        if (env == nullptr || env == but) return false;
        turn = {env, at};
        return true;
    });
    return turn;
}

/// When the first of those that could use a slot of this CPU wakes up by the clock, or a request for units is worth
/// looking at; 0: never.
u64 next_deadline(const Cpu& cpu, u64 now) {
    u64 first = earliest_deadline == kAny ? 0 : earliest_deadline > now ? earliest_deadline : now + quantum;
    find_occupied(cpu, 0, [&](u64 at) {
        Environment* env = runs_in(cpu, at);
        if (env == nullptr || env->home != &cpu) return false;
        const Environment& last = end_of_calls(cpu, *env);
        const u64 deadline = last.resume == Resume::sleeping ? last.wake.deadline : 0;
        if (deadline != 0 && (first == 0 || deadline < first)) first = deadline;
        return false;
    });
    return first;
}

/// Nobody on any CPU can run, and nobody waits for the clock: nothing will ever happen again.
bool nobody_will_wake() {
    for (u64 i = 0; i < cpu_count(); ++i)
        if (!__atomic_load_n(&cpu_at(i).hopeless, __ATOMIC_SEQ_CST)) return false;
    return true;
}

/// All CPUs were without hope when they halted. With everything stopped: are they still?
void end_hopeless() {
    Exclusive exclusive;
    bool any_slot = false;
    for (u64 i = 0; i < cpu_count(); ++i) {
        Cpu& cpu = cpu_at(i);
        if (!cpu.hopeless || next_turn(cpu, cpu.slot).env != nullptr || next_deadline(cpu, 0) != 0) return;
        any_slot |= occupied[i] != 0;
    }
    end_stranded_environments(any_slot ? "nobody is left to wake it" : "no slot left that could run it");
}

/// Nobody can run: halt until somebody can. What sleepers wait for is looked at again when the first deadline comes, and
/// now and then, as words may be written by other CPUs; and when another CPU says so.
Turn idle(Cpu& cpu) {
    if (cpu.env != nullptr) account(cpu);
    cpu.env = nullptr;
    if (cpu.context != nullptr) switch_context(cpu, nullptr);
    for (;;) {
        // Order: first say that this CPU wants to be woken, then look.
        __atomic_store_n(&cpu.idle, true, __ATOMIC_SEQ_CST);
        if (earliest_deadline != kAny) repossess_overdue(cpu);  // it may be one of a request that is met: nothing to wait for
        const Turn turn = next_turn(cpu, cpu.slot);
        const u64 now = cpu.boundary = read_tsc();
        const u64 deadline = turn.env == nullptr ? next_deadline(cpu, now) : 1;
        __atomic_store_n(&cpu.hopeless, deadline == 0, __ATOMIC_SEQ_CST);
        if (turn.env != nullptr) {
            cpu.idle = false;
            return turn;
        }
        if (deadline == 0 && nobody_will_wake()) end_hopeless();
        const u64 ticks = deadline > now ? deadline - now : deadline == 0 ? quantum : 0;
        set_timer(ticks < quantum / 4 ? ticks : quantum / 4);
        rest(cpu);
    }
}

/// Who runs has come to the end of its slice, or of its grace, where it is now: it had all that this was put off by. Who gave
/// its slice away before does not come here.
void settle_extension(Cpu& cpu) {
    if (cpu.extended_for == cpu.env->id) cpu.env->info->paid_back += cpu.alarm - cpu.due;
    cpu.due = cpu.alarm;
}

/// Begin a slice for `env` that lasts `length` from `now` on.
[[noreturn]] void begin_slice(Cpu& cpu, Environment& env, u64 now, u64 length) {
    cpu.attention &= ~Cpu::kInGrace;
    ++env.info->slices;
    env.offered += length;
    set_alarm(cpu, now, length);
    run(cpu, env);
}

}  // namespace

void set_slot_length(u64 quantum_ticks, u64 grace_ticks) {
    quantum = quantum_ticks;
    grace = grace_ticks;
}

Result<SlotNumber> check_slots(u64 cpu, SlotNumber first, u64 count) {
    if (first.value == kAny) {
        if (cpu >= information.cpus || count != 1) return Error::out_of_range;
        for (u64 i = cpu * kSlotsPerCpu; i < (cpu + 1) * kSlotsPerCpu; ++i)
            if (slot_infos[i].owner == 0) return SlotNumber{i};
        return Error::exhausted;
    }
    const u64 all = information.cpus * kSlotsPerCpu;
    if (count == 0 || first.value >= all || count > all - first.value) return Error::out_of_range;
    for (u64 i = 0; i < count; ++i)
        if (slot_infos[first.value + i].owner != 0) return Error::conflict;
    return first;
}

u64 commit_slots(SlotNumber first, u64 count, Environment& env) {
    const u64 grant = frames.fresh_grant();
    for (u64 i = 0; i < count; ++i) {
        const u32 id = static_cast<u32>(env.id.value);
        set_slot(first.value + i, SlotInfo{grant, id, id});
    }
    env.info->slots += count;
    on_taken(env, RevocationKind::slots, count);
    return grant;
}

void commit_slot_release(SlotNumber first, u64 count) {
    for (u64 i = 0; i < count; ++i) {
        Environment* owner = find_environment(EnvId{slot_infos[first.value + i].owner});
        set_slot(first.value + i, SlotInfo{frames.fresh_grant(), 0, 0});
        if (owner == nullptr) continue;
        --owner->info->slots;
        on_given_back(*owner, RevocationKind::slots, first.value + i, 1);
    }
}

void release_slots_of(Environment& env) {
    const u32 id = static_cast<u32>(env.id.value);
    for (u64 i = 0; i < kMaxCpus * kSlotsPerCpu; ++i) {
        if (slot_infos[i].owner == id) commit_slot_release(SlotNumber{i}, 1);
        if (slot_infos[i].runs == id) commit_slot_run(SlotNumber{i}, 1, EnvId{slot_infos[i].owner});
    }
}

void commit_slot_run(SlotNumber first, u64 count, EnvId env) {
    for (u64 i = first.value; i < first.value + count; ++i)
        set_slot(i, SlotInfo{slot_infos[i].grant, slot_infos[i].owner, static_cast<u32>(env.value)});
}

Environment* somebody_else(Cpu& cpu, Environment* env) {
    const Turn turn = next_turn(cpu, cpu.cursor, env);
    if (turn.env != nullptr) cpu.cursor = turn.position;
    return turn.env;
}

void begin_slots(Cpu& cpu) {
    cpu.since = cpu.boundary = read_tsc();
    cpu.slot = cpu.cursor = kSlotsPerCpu - 1;
    run_next_slot(cpu);
}

void give_back_time(Cpu& cpu, u64 ticks) {
    cpu.env->info->stolen += ticks;
    if (cpu.extended_for != cpu.env->id) cpu.due = cpu.alarm;
    cpu.extended_for = cpu.env->id;
    cpu.since += ticks;
    cpu.boundary += ticks;
    const u64 now = read_tsc();
    cpu.alarm += ticks;
    set_timer(cpu.alarm > now ? cpu.alarm - now : 0);
}

void run_next_slot(Cpu& cpu) {
    leave_exclusion(cpu);
    if (read_tsc() >= earliest_deadline) [[unlikely]] repossess_overdue(cpu);
    Turn turn = next_turn(cpu, cpu.slot);
    if (turn.env == nullptr) turn = idle(cpu);
    const u64 now = read_tsc();
    Environment* env = turn.env;
    cpu.slot = cpu.cursor = turn.position;
    // Slots follow each other without a gap, unless the machine was late by more than one.
    cpu.boundary = cpu.boundary + quantum > now ? cpu.boundary + quantum : now + quantum;
    u64& debt = env->info->debt;
    u64 length = cpu.boundary - now;
    if (debt >= length) {
        // It used this slice before: somebody else has it, if anybody can.
        debt -= length;
        ++env->info->forfeited;
        if (Environment* other = somebody_else(cpu, env)) env = other;
    } else if (debt != 0) {
        length -= debt;
        debt = 0;
    }
    if (env->overstayed > env->info->debt) env->overstayed = env->info->debt;
    begin_slice(cpu, *env, now, length);
}

void charge_excess(Cpu& cpu, bool forced) {
    const u64 now = read_tsc();
    settle_extension(cpu);
    const u64 late = now > cpu.boundary ? now - cpu.boundary : 0;
    const u64 excess = forced ? late : late > grace ? late - grace : 0;
    EnvironmentInfo& info = *cpu.env->info;
    info.excess += excess;
    info.debt += excess;
    // Long calls, and what stops of other CPUs cost, are owed too, but are no offence; nor is what the machine is late by itself.
    if (!forced) return;
    u64& overstayed = cpu.env->overstayed;
    overstayed += excess < grace ? excess : grace;
    if (overstayed / quantum >= kMostSlicesOwed) [[unlikely]]
        end_current(EndReason::because("it overstayed again and owes ", overstayed / quantum, " slices"));
}

void on_timer(TrapFrame& frame) {
    acknowledge_interrupt();
    if (!frame.entry.from_user()) return;  // idle: it looks again
    Cpu& cpu = Cpu::here();
    Environment& env = *cpu.env;
    account(cpu);
    if (cpu.since + grace / 8 < cpu.alarm) return set_timer(cpu.alarm - cpu.since);  // under way when the end was put off
    settle_extension(cpu);
    if (!cpu.in_grace() && cpu.since + grace / 8 < cpu.boundary) {
        // A slice shortened by a debt ends before the slot does: the rest is somebody else's.
        if (Environment* other = somebody_else(cpu, &env)) {
            suspend(env, frame);
            begin_slice(cpu, *other, cpu.since, cpu.boundary - cpu.since);
        }
        set_alarm(cpu, cpu.since, cpu.boundary - cpu.since);
        return;
    }
    if (!cpu.in_grace() && deliver_upcall(env, frame, UpcallKind::slice_end)) {
        cpu.attention |= Cpu::kInGrace;
        trace(Event::slice_end, env.id.value);
        set_alarm(cpu, cpu.since, grace);
        return;
    }
    // Without an entry for slice_end it cannot overstay, but a long system call can have kept the timer waiting.
    charge_excess(cpu, cpu.in_grace());
    if (cpu.in_grace()) ++env.info->forced;
    trace(Event::forced_switch, env.id.value);
    suspend(env, frame);
    run_next_slot(cpu);
}

}  // namespace tessera::kernel
