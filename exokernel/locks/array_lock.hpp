// Anderson's array lock: take a number, wait at a place of one's own. Anderson 1990, section IV.
//
// Every place is a line, so a release makes one miss, not n: it is for one reader. First come, first served. It
// costs a line a place in every lock; a queue of nodes (mcs.hpp) has the nodes only while somebody waits.
//
// Anderson's place is a flag that its reader clears again, and more waiters than places break the lock. Here a
// place holds the number that may go on (Dice 2011, partitioned ticket locks): nothing is cleared, and more
// waiters than places only share lines.
#pragma once

#include <bit>

#include "exokernel/locks/lock.hpp"

namespace tessera::locks {

template <u64 places, Relaxing Relax = CpuPause>
class alignas(kCacheLine) ArrayLock {
    static_assert(std::has_single_bit(places), "so that a number's place is a mask away");

  public:
    /// The number that was drawn.
    struct Node {
        u64 mine = 0;
    };

    void acquire(Node& node) {
        // Order: relaxed; the number is all that is wanted of it.
        node.mine = next_.fetch_add(1, std::memory_order_relaxed);
        wait_until<Relax>([&] { return may_enter(node.mine); });
    }

    bool try_acquire(Node& node) {
        node.mine = next_.load(std::memory_order_relaxed);
        // Order: relaxed; may_enter() has the order, and numbers never come back, so that next_ is unchanged says that
        // the place is still ours to take.
        u64 expected = node.mine;
        return may_enter(node.mine) &&
               next_.compare_exchange_strong(expected, expected + 1, std::memory_order_relaxed);
    }

    void release(Node& node) {
        const u64 following = node.mine + 1;
        // Order: release, so that nothing of the section moves behind it.
        place_of(following).number.store(following, std::memory_order_release);
    }

  private:
    struct alignas(kCacheLine) Place {
        Word<Relax, u64> number{0};
    };

    Place& place_of(u64 number) { return places_[number & (places - 1)]; }

    // Order: acquire, so that nothing of the section moves before it; pairs with release().
    bool may_enter(u64 number) { return place_of(number).number.load(std::memory_order_acquire) == number; }

    // All zero to begin with: 0 may enter, and no other number, as no place but the first is that of 0.
    Word<Relax, u64> next_{0};
    Place places_[places];
};

static_assert(Lock<ArrayLock<8>> && sizeof(ArrayLock<8>) == 9 * kCacheLine);

}  // namespace tessera::locks
