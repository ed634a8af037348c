// One counter for all, and a sense that the last to come turns. Mellor-Crummey and Scott 1991, algorithm 7.
//
// The obvious barrier waits for the counter itself, and hangs: the last sets the counter back for the next use, and
// whoever had not looked yet waits for a value that is gone (tests/unit/locks_barriers_test.cpp shows it). Here the
// counter is set back before the sense is turned, and nobody waits for the counter.
//
// The smallest, and right for a few CPUs: all write one line, and all wait for another.
#pragma once

#include "exokernel/locks/barrier.hpp"

namespace tessera::locks {

template <Relaxing Relax = CpuPause>
class CentralBarrier {
  public:
    using Member = locks::Member;

    explicit constexpr CentralBarrier(u32 members) : members_(checked_members(members, ~0u)) {}

    void wait(Member& member) {
        const bool sense = member.turn();
        // Order: release, so that what we did is seen by the last to come; acquire, so that the last sees what all did.
        if (come_.fetch_add(1, std::memory_order_acq_rel) + 1 == members_) {
            // Order: relaxed; who counts next has seen the sense turn, behind this.
            come_.store(0, std::memory_order_relaxed);
            sense_.set(sense);
        } else {
            sense_.await(sense);
        }
    }

  private:
    u32 members_;
    alignas(kCacheLine) Word<Relax, u32> come_{0};
    SenseLine<Relax> sense_;  // a line of its own: who comes does not disturb who waits
};

static_assert(Barrier<CentralBarrier<>> && sizeof(CentralBarrier<>) == 3 * kCacheLine);

}  // namespace tessera::locks
