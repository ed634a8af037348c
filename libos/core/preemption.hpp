// Holding off the switch to another user thread, for the few instructions that must not be interrupted by one.
// Costs two instructions on either side where there are no threads.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::libos {

struct Preemption {
    volatile u32 held = 0;                  ///< How many guards there are.
    volatile bool wanted = false;           ///< A slice ended meanwhile.
    void (*volatile give_way)() = nullptr;  ///< To be called then. Set by whoever schedules threads.
    volatile u32 paging = 0;                ///< How many of the guards are PagingWork.
};
extern Preemption preemption;

/// While one lives, this thread is not preempted by another of the same libOS. The kernel's switch to other
/// environments goes on.
class NoPreemption {
  public:
    NoPreemption() {
        preemption.held = preemption.held + 1;
        asm volatile("" ::: "memory");
    }
    ~NoPreemption() {
        asm volatile("" ::: "memory");
        preemption.held = preemption.held - 1;
        if (preemption.wanted && preemption.held == 0) [[unlikely]]
            preemption.give_way();
    }
    NoPreemption(const NoPreemption&) = delete;
    NoPreemption& operator=(const NoPreemption&) = delete;
};

/// The same around work on page tables and regions that is not done in a handler: a fault meanwhile counts as one in the
/// middle of another.
class PagingWork {
  public:
    PagingWork() { preemption.paging = preemption.paging + 1; }
    ~PagingWork() { preemption.paging = preemption.paging - 1; }
    PagingWork(const PagingWork&) = delete;
    PagingWork& operator=(const PagingWork&) = delete;

  private:
    NoPreemption guard_;
};

}  // namespace tessera::libos
