// A lock that is counted: how often it was taken, how often that had to wait, and how long.
//
//     Counted<TicketLock<>, Meter> lock;        // lock.meter().read().acquisitions
//     Counted<TicketLock<>, NoMeter> lock;      // is a TicketLock<>: no word and no instruction more
//
// What counts is a parameter: the one below belongs to the lock; the kernel may have one that adds to the CPU's.
#pragma once

#include <type_traits>

#include "exokernel/locks/lock.hpp"

namespace tessera::locks {

struct Counts {
    u64 acquisitions;  ///< All.
    u64 contended;     ///< Those that found the lock taken.
    u64 waited;        ///< How long those waited altogether, in ticks of the TSC.
};

/// The figures of one lock. Written only by who holds it; anybody may read(), each figure on its own.
class Meter {
  public:
    static u64 now() { return __builtin_ia32_rdtsc(); }

    void on_acquired() { add(acquisitions_, 1); }
    void on_waited(u64 ticks) {
        add(contended_, 1);
        add(waited_, ticks);
    }

    Counts read() const {
        return {acquisitions_.load(std::memory_order_relaxed), contended_.load(std::memory_order_relaxed),
                waited_.load(std::memory_order_relaxed)};
    }

  private:
    // Order: relaxed, and no atomic addition: the lock is held. Atomic only so that a reader without it never sees
    // half a number.
    static void add(std::atomic<u64>& figure, u64 more) {
        figure.store(figure.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
    }

    std::atomic<u64> acquisitions_{0}, contended_{0}, waited_{0};
};

struct NoMeter {};

/// `M`: `static u64 now()`, and on_acquired() and on_waited(ticks), which are called with the lock held.
template <Lock L, class M = Meter>
class Counted {
  public:
    using Node = typename L::Node;

    void acquire(Node& node) {
        // Trying first changes no lock's order: who fails has not joined the queue.
        if (!lock_.try_acquire(node)) {
            const u64 from = M::now();
            lock_.acquire(node);
            meter_.on_waited(M::now() - from);
        }
        meter_.on_acquired();
    }
    bool try_acquire(Node& node) {
        if (!lock_.try_acquire(node)) return false;
        meter_.on_acquired();
        return true;
    }
    void release(Node& node) { lock_.release(node); }

    void acquire() requires std::is_empty_v<Node> { NoNode none; acquire(none); }
    bool try_acquire() requires std::is_empty_v<Node> { NoNode none; return try_acquire(none); }
    void release() requires std::is_empty_v<Node> { lock_.release(); }

    const M& meter() const { return meter_; }

  private:
    L lock_;  // Whole lines: what the holder counts is not in the line that the others watch.
    [[no_unique_address]] M meter_;
};

template <Lock L>
class Counted<L, NoMeter> : public L {};

}  // namespace tessera::locks
