#include "exokernel/core/slots.hpp"

#include <bit>

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/fpu.hpp"
#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/arch/x86_64/traps.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/log.hpp"
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
}

/// The next position behind `position`, round the vector and up to itself, whose slot runs somebody; there is one.
u64 next_occupied(const Cpu& cpu, u64 position) {
    const u64 rotated = std::rotr(occupied[cpu.index], static_cast<int>((position + 1) % kSlotsPerCpu));
    return (position + 1 + static_cast<u64>(std::countr_zero(rotated))) % kSlotsPerCpu;
}
Environment& runs_in(const Cpu& cpu, u64 position) {
    return *find_environment(EnvId{slot_infos[cpu.index * kSlotsPerCpu + position].runs});
}

/// Ask `each(position)` of every slot that runs somebody, from the one behind `position` on, round the vector and up to
/// itself, until one answers true.
template <class Each>
void find_occupied(const Cpu& cpu, u64 position, Each&& each) {
    if (occupied[cpu.index] == 0) return;
    const u64 first = next_occupied(cpu, position);
    position = first;
    do {
        if (each(position)) return;
        position = next_occupied(cpu, position);
    } while (position != first);
}

/// A slot and who runs in it.
struct Turn {
    u64 position;
    Environment* env;  ///< nullptr: nobody can run on this CPU.
};

/// The first slot behind `position` that somebody other than `but`, who runs, can use.
Turn next_turn(Cpu& cpu, u64 position, const Environment* but) {
    Turn turn{};
    find_occupied(cpu, position, [&](u64 at) {
        Environment& whose = runs_in(cpu, at);
        Environment* env = &whose == but ? nullptr : runnable(cpu, whose);
        if (env == nullptr || env == but) return false;
        turn = {at, env};
        return true;
    });
    return turn;
}

/// When the first of those that could use a slot of this CPU wakes up by the clock; 0: never.
u64 next_deadline(const Cpu& cpu) {
    u64 first = 0;
    find_occupied(cpu, 0, [&](u64 at) {
        Environment& env = runs_in(cpu, at);
        if (env.info->cpu != cpu.index) return false;
        const Environment& last = end_of_calls(cpu, env);
        const u64 deadline = last.resume == Resume::sleeping ? last.wake.deadline : 0;
        if (deadline != 0 && (first == 0 || deadline < first)) first = deadline;
        return false;
    });
    return first;
}

/// Nobody can run: halt until somebody can. What sleepers wait for is looked at again when the first deadline comes, and
/// now and then, as words may be written by other CPUs.
Turn idle(Cpu& cpu) {
    account(cpu);
    cpu.env = nullptr;
    switch_context(cpu, nullptr);
    for (;;) {
        const Turn turn = next_turn(cpu, cpu.slot, nullptr);
        const u64 now = cpu.boundary = read_tsc();
        if (turn.env != nullptr) return turn;
        const u64 deadline = next_deadline(cpu);
        if (deadline == 0) end_stranded_environments("nobody is left to wake it");
        const u64 ticks = deadline > now ? deadline - now : 0;
        set_timer(ticks < quantum / 4 ? ticks : quantum / 4);
        wait_for_interrupt();
    }
}

/// Begin the slot at `position` with `env` until the boundary, less what it still owes.
[[noreturn]] void begin_slice(Cpu& cpu, Environment& env, u64 length) {
    cpu.attention &= ~Cpu::kInGrace;
    ++env.info->slices;
    set_timer(length);
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
    return grant;
}

void commit_slot_release(SlotNumber first, u64 count) {
    for (u64 i = 0; i < count; ++i) {
        if (Environment* owner = find_environment(EnvId{slot_infos[first.value + i].owner})) --owner->info->slots;
        set_slot(first.value + i, SlotInfo{frames.fresh_grant(), 0, 0});
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

void run_next_slot(Cpu& cpu) {
    if (occupied[cpu.index] == 0) end_stranded_environments("no slot left that could run it");
    Turn turn = next_turn(cpu, cpu.slot, nullptr);
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
    begin_slice(cpu, *env, length);
}

void charge_excess(Cpu& cpu, bool forced) {
    const u64 now = read_tsc();
    const u64 late = now > cpu.boundary ? now - cpu.boundary : 0;
    const u64 excess = forced ? late : late > grace ? late - grace : 0;
    cpu.env->info->excess += excess;
    cpu.env->info->debt += excess;
}

void on_timer(TrapFrame& frame) {
    acknowledge_interrupt();
    Cpu& cpu = Cpu::here();
    Environment& env = *cpu.env;
    account(cpu);
    if (!cpu.in_grace() && cpu.since + grace / 8 < cpu.boundary) {
        // A slice shortened by a debt ends before the slot does: the rest is somebody else's.
        if (Environment* other = somebody_else(cpu, &env)) {
            suspend(env, frame);
            begin_slice(cpu, *other, cpu.boundary - cpu.since);
        }
        set_timer(cpu.boundary - cpu.since);
        return;
    }
    if (!cpu.in_grace() && deliver_upcall(env, frame, UpcallKind::slice_end)) {
        cpu.attention |= Cpu::kInGrace;
        trace(Event::slice_end, env.id.value);
        set_timer(grace);
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
