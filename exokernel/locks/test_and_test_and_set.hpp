// Look before you write: who waits reads its own cached copy until the lock is seen free. Rudolph and Segall 1984.
//
// While the lock is held nobody who waits causes traffic. When it is freed they all read, all see it free, and
// all exchange: up to n misses each time, so O(n^2) for n that got together. No order among who waits.
#pragma once

#include "exokernel/locks/delay.hpp"
#include "exokernel/locks/lock.hpp"

namespace tessera::locks {

template <Relaxing Relax = CpuPause, class Delay = NoDelay>
class alignas(kCacheLine) TestAndTestAndSetLock {
  public:
    using Node = NoNode;

    void acquire(NoNode = {}) {
        Delay delay;
        while (!take()) {
            // Order: relaxed; seeing it free proves nothing, the exchange does.
            wait_until<Relax>([this] { return !held_.load(std::memory_order_relaxed); });
            relax<Relax>(delay.next());
        }
    }

    // A look first here too: who tries again and again does not disturb who has it.
    bool try_acquire(NoNode = {}) { return !held_.load(std::memory_order_relaxed) && take(); }

    // Order: release, so that nothing of the section moves behind it. A plain store on x86.
    void release(NoNode = {}) { held_.store(false, std::memory_order_release); }

  private:
    // Order: acquire, so that nothing of the section moves before it; pairs with release() of who had it.
    bool take() { return !held_.exchange(true, std::memory_order_acquire); }

    Word<Relax, bool> held_{false};
};

static_assert(Lock<TestAndTestAndSetLock<>> && sizeof(TestAndTestAndSetLock<>) == kCacheLine);

}  // namespace tessera::locks
