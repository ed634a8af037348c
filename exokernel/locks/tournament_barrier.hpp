// A knock-out tournament in which the winners are fixed beforehand. Hensgen, Finkel and Manber 1988; Mellor-Crummey and
// Scott 1991, algorithm 10, with a tree to wake in.
//
// In round k the member whose number has k trailing zeros loses to the one 2^k below it: it reports and waits. The
// champion is number 0. Then everyone wakes, in the opposite order, those that it won against. Plain loads and stores,
// everybody waits in lines of its own. A winner without an opponent goes to the next round.
//
//     0 <--- 1      2 <--- 3      4 <--- 5      round 0
//     0 <---------- 2             4             round 1
//     0 <------------------------ 4             round 2
#pragma once

#include <array>

#include "exokernel/locks/barrier.hpp"

namespace tessera::locks {

template <u32 most_members, Relaxing Relax = CpuPause>
class TournamentBarrier {
  public:
    using Member = locks::Member;

    explicit constexpr TournamentBarrier(u32 members)
        : members_(checked_members(members, most_members)), rounds_(rounds_for(members)) {}

    void wait(Member& member) {
        const bool sense = member.turn();
        const u32 own = member.number;
        const u32 lost_in = own == 0 ? rounds_ : static_cast<u32>(std::countr_zero(own));
        for (u32 round = 0; round < lost_in; ++round)
            if (has_opponent(own, round)) nodes_[own].reports[round].await(sense);
        if (own != 0) {
            nodes_[own - (1u << lost_in)].reports[lost_in].set(sense);
            nodes_[own].awake.await(sense);
        }
        for (u32 round = lost_in; round-- != 0;)
            if (has_opponent(own, round)) nodes_[own + (1u << round)].awake.set(sense);
    }

  private:
    static constexpr u32 kRounds = rounds_for(most_members);

    bool has_opponent(u32 own, u32 round) const { return own + (1u << round) < members_; }

    struct Node {
        std::array<SenseLine<Relax>, kRounds> reports;
        SenseLine<Relax> awake;
    };

    u32 members_;
    u32 rounds_;
    std::array<Node, most_members> nodes_;
};

static_assert(Barrier<TournamentBarrier<8>> && sizeof(TournamentBarrier<8>) == (1 + 8 * (3 + 1)) * kCacheLine);

}  // namespace tessera::locks
