// What keeps several CPUs apart. Three means, from dear to free; docs/cpus.md has the whole picture.
//
//   Exclusive      what other CPUs rely on without looking (who lives, which context, which slot, whose frame) is changed by
//                  one CPU at a time, with all others parked outside the kernel. The kernel is not interruptible, so
//                  a CPU that took the interrupt is in the middle of nothing; and what it reaches in the kernel it
//                  reaches again from the start. Rare calls only.
//   leaf locks     a context that several CPUs may load; the back-map's lists, by frame; the free frames; the serial
//                  ports. Held for a few instructions, one at a time (a list's also inside a context's, never the other
//                  way round), and never while parking others.
//   nothing        an environment lives on one CPU, and its context, when no other CPU may load it, too: the hot paths
//                  touch only those.
#pragma once

#include "exokernel/abi/types.hpp"
#include "exokernel/arch/x86_64/trap_frame.hpp"

namespace tessera::kernel {

struct Cpu;

/// While it lives, this CPU alone runs kernel or user code. Inside another it does nothing.
/// Made first, before anything is checked: waiting for it, this CPU may be parked while everything changes; if its
/// environment has ended meanwhile, the constructor does not return. Leaving by run_next_slot ends it too.
class Exclusive {
  public:
    /// With `needed` false, nothing is stopped.
    explicit Exclusive(bool needed = true);
    ~Exclusive();
    Exclusive(const Exclusive&) = delete;
    Exclusive& operator=(const Exclusive&) = delete;

  private:
    bool needed_;
};

/// End all Exclusives of this CPU: it leaves the kernel by another way than returning.
void leave_exclusion(Cpu& cpu);

/// Have `errand` done by another CPU, which is parked, and wait for it.
void send_errand(Cpu& cpu, void (*errand)(Cpu&));

/// The stop interrupt: park until the CPU that sent it is done. `frame`: what it interrupted.
void on_stop(TrapFrame& frame);

/// With interrupts off: let others have their way, if one wants everything stopped. Nothing is assumed across it.
void park(Cpu& cpu);

/// Something has changed for a CPU, which may be resting: when everything goes on, it looks who can run.
void look_again(Cpu& cpu);
/// Nobody can run here: halt until an interrupt. Who stops everything leaves a resting CPU alone, as it looks whether it may
/// go on before it touches anything.
void rest(Cpu& cpu);

/// A CPU that has nothing to run should look again, at once.
void wake_cpu(Cpu& cpu);

/// A CPU that may be in a guest should leave it, at once.
void interrupt_cpu(Cpu& cpu);

/// `information.cpus` CPUs run; before that, one.
u64 cpu_count();

}  // namespace tessera::kernel
