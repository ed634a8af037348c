// The kernel's locks for a few instructions: tickets, as waiting is short, CPUs are few, and nobody must starve. How often
// they are taken is counted where everybody can read it (Information::locks): the paths that libOSes take which share
// nothing take none, and can show it.
#pragma once

#include "exokernel/abi/information.hpp"
#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/locks/ticket.hpp"

namespace tessera::kernel {

/// What is published is published by the page: nothing else of the kernel's may lie in it.
struct alignas(kPageSize) InformationPage : Information {};
extern InformationPage information;

/// Held with interrupts off, never while other CPUs are waited for, and one at a time: but for the lock of a frame's list
/// inside that of a context.
class LeafLock {
  public:
    using Node = locks::NoNode;

    void acquire(Node = {}) {
        lock_.acquire();
        ++information.locks[Cpu::here().index];
    }
    bool try_acquire(Node = {}) { return lock_.try_acquire(); }
    void release(Node = {}) { lock_.release(); }

  private:
    locks::TicketLock<> lock_;
};

using Guard = locks::Guard<LeafLock>;

}  // namespace tessera::kernel
