// Everybody tells everybody, by hearsay: in round k each tells the one 2^k further on. Hensgen, Finkel and Manber
// 1988; Mellor-Crummey and Scott 1991, algorithm 9.
//
// After round k a member has heard, directly or not, of the 2^(k+1) up to itself; after log2 n rounds of all. Nobody is
// special and nobody has to be woken: the shortest way through, n log n stores in all. Any number of members will do.
//
// A member may be a whole use ahead of one that it does not tell, so the lines of one use are not those of the next:
// two sets take turns, and the sense turns every second time.
#pragma once

#include <array>

#include "exokernel/locks/barrier.hpp"

namespace tessera::locks {

template <u32 most_members, Relaxing Relax = CpuPause>
class DisseminationBarrier {
  public:
    struct Member {
        explicit constexpr Member(u32 own_number) : number(own_number) {}

        u32 number;         ///< 0 to the barrier's members - 1, each once.
        bool sense = true;  ///< Of the use that comes next.
        u32 parity = 0;     ///< And its set of lines.
    };

    explicit constexpr DisseminationBarrier(u32 members)
        : members_(checked_members(members, most_members)), rounds_(rounds_for(members)) {}

    void wait(Member& member) {
        u32 distance = 1;
        for (u32 round = 0; round < rounds_; ++round, distance *= 2) {
            nodes_[(member.number + distance) % members_].heard[member.parity][round].set(member.sense);
            nodes_[member.number].heard[member.parity][round].await(member.sense);
        }
        if (member.parity == 1) member.sense = !member.sense;
        member.parity ^= 1;
    }

  private:
    static constexpr u32 kRounds = rounds_for(most_members);

    struct Node {
        std::array<std::array<SenseLine<Relax>, kRounds>, 2> heard;
    };

    u32 members_;
    u32 rounds_;
    std::array<Node, most_members> nodes_;
};

static_assert(Barrier<DisseminationBarrier<8>> && sizeof(DisseminationBarrier<8>) == (1 + 8 * 2 * 3) * kCacheLine);

}  // namespace tessera::locks
