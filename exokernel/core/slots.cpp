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
#include "exokernel/core/repossession.hpp"
#include "exokernel/core/revocation.hpp"
#include "exokernel/arch/x86_64/switch.hpp"
#include "exokernel/core/trace.hpp"
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

/// Begin the slot at `position` with `env` until the boundary, less what it still owes.
[[noreturn]] void begin_slice(Cpu& cpu, Environment& env, u64 length) {
    cpu.attention &= ~Cpu::kInGrace;
    ++env.info->slices;
    env.offered += length;
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
    if (occupied[cpu.index] == 0) return nullptr;
    const u64 start = next_occupied(cpu, cpu.cursor);
    u64 position = start;
    do {
        Environment& candidate = runs_in(cpu, position);
        if (&candidate != env) {
            cpu.cursor = position;
            return &candidate;
        }
        position = next_occupied(cpu, position);
    } while (position != start);
    return nullptr;
}

void run_next_slot(Cpu& cpu) {
    if (read_tsc() >= earliest_deadline) [[unlikely]] repossess_overdue(cpu);
    if (occupied[cpu.index] == 0) end_stranded_environments();
    const u64 now = read_tsc();
    const u64 position = next_occupied(cpu, cpu.slot);
    Environment* env = &runs_in(cpu, position);
    cpu.slot = cpu.cursor = position;
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
