// Two fixed trees: four children report to a parent, a parent wakes two. Mellor-Crummey and Scott 1991, algorithm 11.
//
// Every member waits only in its own two lines, known beforehand, with plain loads and stores: no atomic additions. The
// tree to report in is broad, because a parent looks at its four children in one line; the tree to wake in is
// narrow, because waking is one store after the other.
//
//     reports:  4i+1 .. 4i+4  -->  i            wakes:  i  -->  2i+1, 2i+2
//
// The paper clears the reports for the next use; here a report is the sense, and there is nothing to clear.
#pragma once

#include <array>

#include "exokernel/locks/barrier.hpp"

namespace tessera::locks {

template <u32 most_members, Relaxing Relax = CpuPause>
class McsBarrier {
  public:
    using Member = locks::Member;

    explicit constexpr McsBarrier(u32 members) : members_(checked_members(members, most_members)) {}

    void wait(Member& member) {
        const bool sense = member.turn();
        const u32 own = member.number;
        for (u32 i = 0; i < kReport && own * kReport + i + 1 < members_; ++i) {
            // Order: acquire, so that what that whole subtree did is seen; pairs with the store below.
            wait_until<Relax>([&] { return nodes_[own].report[i].load(std::memory_order_acquire) == sense; });
        }
        if (own != 0) {
            // Order: release, so that what we did and have seen is seen by the parent.
            nodes_[(own - 1) / kReport].report[(own - 1) % kReport].store(sense, std::memory_order_release);
            nodes_[own].awake.await(sense);
        }
        for (u32 child = own * kWake + 1; child <= own * kWake + kWake && child < members_; ++child)
            nodes_[child].awake.set(sense);
    }

  private:
    static constexpr u32 kReport = 4, kWake = 2;

    struct alignas(kCacheLine) Node {
        std::array<Word<Relax, bool>, kReport> report{};
        SenseLine<Relax> awake;
    };

    u32 members_;
    std::array<Node, most_members> nodes_;
};

static_assert(Barrier<McsBarrier<8>> && sizeof(McsBarrier<8>) == (1 + 8 * 2) * kCacheLine);

}  // namespace tessera::locks
