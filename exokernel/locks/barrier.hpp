// What a barrier is here: nobody goes on before all have come.
//
// Each who takes part has a number, and a Member, its own view of the barrier, which it alone touches. A barrier can
// be used any number of times, one use straight behind the other, and nothing is set up again in between: all
// five tell one use from the next by a sense that turns each time (Hensgen, Finkel and Manber 1988). One bit is
// enough: nobody can be two uses ahead of anybody.
#pragma once

#include <bit>
#include <concepts>

#include "exokernel/locks/relax.hpp"

namespace tessera::locks {

/// Whose turn it is: `sense` is what this use of the barrier is told by, and turns with each.
struct Member {
    explicit constexpr Member(u32 own_number) : number(own_number) {}

    /// The sense of the use that begins.
    bool turn() { return sense = !sense; }

    u32 number;  ///< 0 to the barrier's members - 1, each once.
    bool sense = false;
};

/// Effect: what any member did before wait() is seen by every member behind it. Each of the members that the barrier
/// was made with calls it once for each use, with a Member that lives as long as the barrier is used.
template <class T>
concept Barrier = requires(T& barrier, typename T::Member& member) {
    typename T::Member;
    barrier.wait(member);
};

/// A shared bit in a line of its own: one writes it, one or more wait for it.
///
/// Order: release and acquire, so that what the writer did, and what it had seen others do, is seen behind it.
template <Relaxing Relax>
struct alignas(kCacheLine) SenseLine {
    void set(bool sense) { bit.store(sense, std::memory_order_release); }
    void await(bool sense) {
        wait_until<Relax>([&] { return bit.load(std::memory_order_acquire) == sense; });
    }

    Word<Relax, bool> bit{false};
};
static_assert(sizeof(SenseLine<CpuPause>) == kCacheLine);

/// How many times n members can be halved: rounds in which everybody can be reached.
constexpr u32 rounds_for(u32 members) { return static_cast<u32>(std::bit_width(members - 1)); }

/// `members`, if it is one that a barrier for at most `most` can have. Else the program's mistake, and its end.
constexpr u32 checked_members(u32 members, u32 most) {
    if (members == 0 || members > most) __builtin_trap();
    return members;
}

}  // namespace tessera::locks
