#include "exokernel/core/exclusion.hpp"

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/lock.hpp"
#include "exokernel/core/slots.hpp"
#include "exokernel/drivers/timer.hpp"

namespace tessera::kernel {
namespace {

/// Who waits for its turn lets others have their way meanwhile: or two that want everything stopped would wait for ever.
struct Parking {
    static void pause() {
        park(Cpu::here());
        relax();
    }
};
locks::TicketLock<Parking> structure;

u64 current_stop;  // odd while a CPU wants the others parked; each stop has a number of its own

u64 read(const u64& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }
void write(u64& word, u64 value) { __atomic_store_n(&word, value, __ATOMIC_RELEASE); }

bool is_resting(const Cpu& cpu) { return __atomic_load_n(&cpu.resting, __ATOMIC_SEQ_CST); }
bool is_parked(const Cpu& cpu, u64 stop) { return read(cpu.parked_for) == stop || is_resting(cpu); }

/// Order: a full barrier. Either who stops everything sees that this CPU does not rest any more, or this CPU sees the stop.
void end_rest(Cpu& cpu) {
    __atomic_store_n(&cpu.resting, false, __ATOMIC_SEQ_CST);
    park(cpu);
}

void stop_others(Cpu& cpu) {
    const u64 stop = current_stop + 1;
    // Order: a full barrier; what the others do before they see this, this CPU sees once they are parked.
    __atomic_store_n(&current_stop, stop, __ATOMIC_SEQ_CST);
    for (u64 i = 0; i < information.cpus; ++i)
        if (i != cpu.index && !is_parked(cpu_at(i), stop)) send_interrupt(cpu_at(i).apic_id, VECTOR_STOP);
    for (u64 i = 0; i < information.cpus; ++i)
        while (i != cpu.index && !is_parked(cpu_at(i), stop)) relax();
    ++information.stops[cpu.index];
    cpu.stopped_others = read_tsc();
}

/// What others lost is what the next slices pay of who made this CPU stop them: also if it lives elsewhere by now.
void charge_stop(Cpu& cpu) {
    const u64 lasted = read_tsc() - cpu.stopped_others;
    cpu.stopped_others = 0;
    Environment* const payer = find_environment(cpu.stopped_for);
    if (payer == nullptr) return;
    for (u64 i = 0; i < information.cpus; ++i)
        if (i != cpu.index && cpu_at(i).env != nullptr) payer->info->debt += lasted;
}

}  // namespace

void park(Cpu& cpu) {
    for (u64 stop; (stop = read(current_stop)) & 1;) {
        write(cpu.parked_for, stop);
        while (read(current_stop) == stop) {
            if (void (*errand)(Cpu&) = __atomic_load_n(&cpu.errand, __ATOMIC_ACQUIRE)) {
                errand(cpu);
                __atomic_store_n(&cpu.errand, nullptr, __ATOMIC_RELEASE);
            }
            relax();
        }
        if (!cpu.flush) continue;
        cpu.flush = false;
        flush_everything();
    }
}

Exclusive::Exclusive(bool needed) : needed_(needed) {
    if (!needed) return;
    Cpu& cpu = Cpu::here();
    if (cpu.exclusive++ != 0 || information.cpus < 2) return;
    Environment* const env = cpu.env;
    structure.acquire();
    stop_others(cpu);
    cpu.stopped_for = cpu.env != nullptr ? cpu.env->id : EnvId{};
    if (cpu.env != env) run_next_slot(cpu);
}

Exclusive::~Exclusive() {
    if (!needed_) return;
    Cpu& cpu = Cpu::here();
    if (cpu.exclusive > 1)
        --cpu.exclusive;
    else
        leave_exclusion(cpu);
}

void leave_exclusion(Cpu& cpu) {
    if (cpu.exclusive == 0) return;
    cpu.exclusive = 0;
    if (information.cpus < 2) return;
    charge_stop(cpu);
    u64 called = 0;  // while everything is stopped: whom something has changed for
    for (u64 i = 0; i < information.cpus; ++i)
        if (Cpu& other = cpu_at(i); other.look) {
            other.look = false;
            called |= u64{1} << i;
        }
    write(current_stop, current_stop + 1);
    structure.release();
    for (u64 i = 0; called != 0; ++i, called >>= 1)
        if (called & 1) wake_cpu(cpu_at(i));
}

void send_errand(Cpu& cpu, void (*errand)(Cpu&)) {
    __atomic_store_n(&cpu.errand, errand, __ATOMIC_RELEASE);
    if (is_resting(cpu)) send_interrupt(cpu.apic_id, VECTOR_STOP);
    while (__atomic_load_n(&cpu.errand, __ATOMIC_ACQUIRE) != nullptr) relax();
}

void on_stop(TrapFrame& frame) {
    acknowledge_interrupt();
    Cpu& cpu = Cpu::here();
    if (!frame.entry.from_user()) return end_rest(cpu);  // it had nobody to run, and looks again
    const u64 begin = read_tsc();
    cpu.parked_frame = &frame;
    park(cpu);
    cpu.parked_frame = nullptr;
    if (cpu.env == nullptr) run_next_slot(cpu);  // what ran here has ended, or lives elsewhere now
    give_back_time(cpu, read_tsc() - begin);
}

void look_again(Cpu& cpu) { cpu.look = true; }

void rest(Cpu& cpu) {
    __atomic_store_n(&cpu.resting, true, __ATOMIC_SEQ_CST);
    wait_for_interrupt();
    end_rest(cpu);
}

void wake_cpu(Cpu& cpu) {
    if (&cpu != &Cpu::here() && __atomic_load_n(&cpu.idle, __ATOMIC_SEQ_CST)) send_interrupt(cpu.apic_id, VECTOR_STOP);
}

void interrupt_cpu(Cpu& cpu) {
    if (&cpu != &Cpu::here()) send_interrupt(cpu.apic_id, VECTOR_STOP);
}

u64 cpu_count() { return information.cpus < 2 ? 1 : information.cpus; }

}  // namespace tessera::kernel
