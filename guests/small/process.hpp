// Processes: a fixed table, one kernel stack each, round robin. A process gives the CPU away in `schedule` and
// nowhere else; kernel code is not preempted, only interrupted.
#pragma once

#include "guests/small/address_space.hpp"
#include "guests/small/trap_frame.hpp"

namespace small {

struct Process {
    enum class State : u8 { free, ready, blocked, ended };
    State state;
    u64 id;
    Process* parent;
    u64 status;           ///< Once it ended.
    const void* waits_for;
    u64 wakes_at;         ///< Timer ticks; 0 for never.
    u64 saved_rsp;        ///< Of its kernel stack, while another one runs.
    Frame buffer;         ///< One page for transfers between its memory and devices.
    AddressSpace space;
};

Process& current();

/// A process that runs one of the programs in the image. The first one has no parent; when it ends, all ends.
/// Null: no such program, no room.
Process* spawn(const char* program, Process* parent);
/// A copy of the current process, which sees 0 as the answer of the call that `frame` is of.
Process* fork(const TrapFrame& frame);
[[noreturn]] void end_current(u64 status);
/// Wait for a child to end: its id, or 0 if there is none. `status` is set.
u64 wait_for_child(u64& status);

/// Run whoever is ready, if only this one.
void schedule();
/// Ticks of the time-stamp counter during which nobody was.
u64 idle_time();
/// Sleep until `wake(what)`, or a timer tick (0: none). Interrupts must be off, so that the wake is not missed.
void block_on(const void* what, u64 until);
/// Also from interrupts.
void wake(const void* what);
/// Wakes those whose time has come.
void wake_sleepers(u64 now);

/// Start running processes. The caller's stack is given up.
[[noreturn]] void run_processes();

/// Interrupts off for the extent of a block.
class Masked {
  public:
    Masked() : were_on_(machine::mask_interrupts()) {}
    ~Masked() { if (were_on_) machine::unmask_interrupts(); }
    Masked(const Masked&) = delete;
    Masked& operator=(const Masked&) = delete;

  private:
    bool were_on_;
};

}  // namespace small
