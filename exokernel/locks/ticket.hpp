// First come, first served: take a number, wait until it is called. Mellor-Crummey and Scott 1991, algorithm 2.
//
// One atomic addition to acquire, whatever the contention, and nobody is passed over. All who wait read one word,
// so each release still makes n misses; proportional back-off, `backoff` pauses for each one ahead, keeps those
// away whose turn is not near.
#pragma once

#include "exokernel/locks/lock.hpp"

namespace tessera::locks {

template <Relaxing Relax = CpuPause, u64 backoff = 0>
class alignas(kCacheLine) TicketLock {
  public:
    using Node = NoNode;

    void acquire(NoNode = {}) {
        // Order: relaxed; the number is all that is wanted of it. What orders the section is serving_.
        const u32 mine = next_.fetch_add(1, std::memory_order_relaxed);
        // Order: acquire, so that nothing of the section moves before the look that let us in; pairs with release().
        while (const u32 ahead = mine - serving_.load(std::memory_order_acquire)) {
            Relax::pause();
            relax<Relax>(ahead * backoff);
        }
    }

    /// Takes a number only if it is the one being served.
    bool try_acquire(NoNode = {}) {
        // Order: acquire as above. The exchange may be relaxed: that next_ is still what serving_ was says that
        // nobody came in between, and the section's order is serving_'s.
        u32 mine = serving_.load(std::memory_order_acquire);
        return next_.compare_exchange_strong(mine, mine + 1, std::memory_order_relaxed);
    }

    void release(NoNode = {}) {
        // Only who has the lock writes serving_: load and store, no atomic addition.
        // Order: release, so that nothing of the section moves behind it.
        serving_.store(serving_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    }

  private:
    // Both in one line: without contention, the usual case, acquire and release touch one line and not two. Numbers
    // wrap; they are only compared for their distance, so that is harmless with fewer than 2^32 waiting.
    Word<Relax, u32> next_{0};
    Word<Relax, u32> serving_{0};
};

static_assert(Lock<TicketLock<>> && sizeof(TicketLock<>) == kCacheLine);

}  // namespace tessera::locks
