// Time: a linear vector of equal slots for each CPU (Aegis: Engler et al., SOSP 1995, 5.1.1). A slot runs an
// environment; when it is over, that environment is told and has a bounded grace to save what is live and yield.
// Who overstays is switched by force and pays the excess from its next slices. Empty slots go to whoever can run.
#pragma once

#include "exokernel/abi/information.hpp"
#include "exokernel/abi/result.hpp"
#include "exokernel/arch/x86_64/trap_frame.hpp"

namespace tessera::kernel {

struct Cpu;
struct Environment;

/// In TSC ticks. Once, at boot.
void set_slot_length(u64 quantum, u64 grace);

/// `count` adjacent free slots from `first` on, or any one of `cpu`.  Errors: out_of_range, conflict, exhausted.
Result<SlotNumber> check_slots(u64 cpu, SlotNumber first, u64 count);
/// Make them `env`'s; the grant number for their capability.
u64 commit_slots(SlotNumber first, u64 count, Environment& env);
void commit_slot_release(SlotNumber first, u64 count);
/// They run `env` from now on; their owner stays. Zero: nobody.
void commit_slot_run(SlotNumber first, u64 count, EnvId env);
/// The environment has ended: its slots are free, and slots that ran it run their owner again.
void release_slots_of(Environment& env);

/// The running environment gives up the CPU behind its slot's end: what it stayed for longer than the grace that it is
/// told, or with `forced` all of it, is excess that later slices pay.
void charge_excess(Cpu& cpu, bool forced);
/// This CPU begins with its vector.
[[noreturn]] void begin_slots(Cpu& cpu);
/// The running environment lost `ticks` of its slice to somebody else's work: the slice ends that much later. What it then
/// has of that is paid back to it.
void give_back_time(Cpu& cpu, u64 ticks);
/// The current slot is over, or nobody runs: begin the next slot that somebody can use; with none, wait for one.
[[noreturn]] void run_next_slot(Cpu& cpu);
/// The rest of the slot goes to whoever can run, behind `env` in the vector; nullptr: nobody else can.
Environment* somebody_else(Cpu& cpu, Environment* env);

/// The timer of this CPU went off; `frame` is what it interrupted.
void on_timer(TrapFrame& frame);

}  // namespace tessera::kernel
