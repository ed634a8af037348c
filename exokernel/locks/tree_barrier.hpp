// A combining tree: small groups count among themselves, the last of each counts for the group one level up.
// Yew, Tzeng and Lawrie 1987; Mellor-Crummey and Scott 1991, algorithm 8.
//
// No line is written by more than `fan_in` members, and as many wait for one: no hot spot. Who turns out to be last
// climbs, so who waits where is not known beforehand, and a member waits in a line that it has no claim to.
#pragma once

#include <array>

#include "exokernel/locks/barrier.hpp"

namespace tessera::locks {

template <u32 most_members, Relaxing Relax = CpuPause, u32 fan_in = 4>
class TreeBarrier {
    static_assert(fan_in >= 2 && most_members >= 1);

  public:
    using Member = locks::Member;

    explicit constexpr TreeBarrier(u32 members) {
        // The groups of one level behind those of the level below; the last level has one.
        u32 first = 0, below = checked_members(members, most_members);
        do {
            const u32 here = groups(below);
            for (u32 i = 0; i < here; ++i) {
                Node& node = nodes_[first + i];
                node.size = below - i * fan_in < fan_in ? below - i * fan_in : fan_in;
                node.parent = here == 1 ? kRoot : first + here + i / fan_in;
            }
            first += here;
            below = here;
        } while (below > 1);
    }

    void wait(Member& member) {
        const bool sense = member.turn();
        // Up, as long as we are the last of a group; remembering the way, which has at most kLevels steps.
        std::array<u32, kLevels> last_of;
        u32 climbed = 0;
        for (u32 at = member.number / fan_in;; at = nodes_[at].parent) {
            // Order: release, so that the last of the group sees what we have seen; acquire, so that we do if it is us.
            if (nodes_[at].come.fetch_add(1, std::memory_order_acq_rel) + 1 != nodes_[at].size) {
                nodes_[at].sense.await(sense);
                break;
            }
            last_of[climbed++] = at;
            if (nodes_[at].parent == kRoot) break;
        }
        // Down the same way: the groups' counters first, as in the central barrier.
        while (climbed != 0) {
            Node& node = nodes_[last_of[--climbed]];
            node.come.store(0, std::memory_order_relaxed);
            node.sense.set(sense);
        }
    }

  private:
    static constexpr u32 kRoot = ~0u;
    static constexpr u32 groups(u32 members) { return (members + fan_in - 1) / fan_in; }
    static constexpr u32 levels(u32 members) { return members <= fan_in ? 1 : 1 + levels(groups(members)); }
    static constexpr u32 nodes(u32 members) { return members <= fan_in ? 1 : groups(members) + nodes(groups(members)); }
    static constexpr u32 kLevels = levels(most_members);

    struct alignas(kCacheLine) Node {
        Word<Relax, u32> come{0};
        u32 size = 0;
        u32 parent = kRoot;
        SenseLine<Relax> sense;
    };

    std::array<Node, nodes(most_members)> nodes_;
};

static_assert(Barrier<TreeBarrier<8>> && sizeof(TreeBarrier<8>) == 3 * 2 * kCacheLine);

}  // namespace tessera::locks
