// Which thread runs next: the seam between the mechanism (threads.cpp) and a policy (policies/, or a program's own).
//
// A policy is any type with these three:
//
//   void add(Job&, u64 now)    it waits for the CPU: new, woken, or its turn has ended and it goes on later
//   Job* take(u64 now)         the one that runs next; nullptr when none waits
//   bool turn_over(const Job& running, u64 now, bool slice_over)
//                              shall `running` make room for those that wait? Asked when one comes in, when it
//                              offers (offer_turn), and, with slice_over, when a slice of the kernel has ended.
//                              When nobody waits, either answer will do
//
// It is chosen when the program is linked: the library's definition of `scheduling` is weak, and a program that wants
// another policy has one line,
//
//   constinit Stride stride;
//   constinit const Scheduling tessera::libos::scheduling = schedule_by<stride>;
//
// A table and not a template parameter of everything, because Thread, Mutex and Condition lie compiled in libos.a,
// in guaranteed pages; not a base class, because there is one policy a program, and the calls then know its type.
#pragma once

#include "libos/threads/job.hpp"

namespace tessera::libos {

struct Scheduling {
    void (*add)(Job& job, u64 now);
    Job* (*take)(u64 now);
    bool (*turn_over)(const Job& running, u64 now, bool slice_over);
};

/// The table for a policy that is an object with static storage.
template <auto& policy>
inline constexpr Scheduling schedule_by{
    [](Job& job, u64 now) { policy.add(job, now); },
    [](u64 now) { return policy.take(now); },
    [](const Job& running, u64 now, bool slice_over) { return policy.turn_over(running, now, slice_over); },
};

/// The program's; where it has none, round robin by the kernel's slices.
extern const Scheduling scheduling;

/// How long a turn lasts where policies go by time: `ticks`, or with 0 to the end of the kernel's slice. A libOS has no
/// timer within its slices, so a shorter turn ends where its thread offers.
struct Quantum {
    u64 ticks = 0;
    bool over(const Job& running, bool slice_over) const { return ticks == 0 ? slice_over : running.turn >= ticks; }
};

}  // namespace tessera::libos
