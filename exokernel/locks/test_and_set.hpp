// The simplest lock: exchange until it was free. Mellor-Crummey and Scott 1991, algorithm 1.
//
// Every failed attempt writes, so every one who waits takes the line away from all others, its holder included.
// With a delay it is good for few CPUs; with none it is here to be measured against. No order among who waits.
#pragma once

#include "exokernel/locks/delay.hpp"
#include "exokernel/locks/lock.hpp"

namespace tessera::locks {

template <Relaxing Relax = CpuPause, class Delay = NoDelay>
class alignas(kCacheLine) TestAndSetLock {
  public:
    using Node = NoNode;

    void acquire(NoNode = {}) {
        Delay delay;
        while (!try_acquire()) {
            Relax::pause();
            relax<Relax>(delay.next());
        }
    }

    // Order: acquire, so that nothing of the section moves before it; pairs with release() of who had it. The
    // store half needs no order: it publishes nothing.
    bool try_acquire(NoNode = {}) { return !held_.exchange(true, std::memory_order_acquire); }

    // Order: release, so that nothing of the section moves behind it. A plain store on x86.
    void release(NoNode = {}) { held_.store(false, std::memory_order_release); }

  private:
    Word<Relax, bool> held_{false};
};

static_assert(Lock<TestAndSetLock<>> && sizeof(TestAndSetLock<>) == kCacheLine);

/// Dynamic delay after each failed attempt.
template <Relaxing Relax = CpuPause>
using BackoffLock = TestAndSetLock<Relax, ExponentialDelay<>>;

}  // namespace tessera::locks
