// The queue lock of Mellor-Crummey and Scott 1991, algorithm 5: each waits in its own node.
//
// One word a lock, two for each who waits, on its own stack: a release makes one miss however many wait.
// First come, first served. Without contention it costs an exchange to acquire and another to release.
//
//     tail --------------------------------+
//                                          v
//     [holder] --next--> [waits] --next--> [waits]      each spins on its own `waiting`
#pragma once

#include "exokernel/locks/lock.hpp"

namespace tessera::locks {

template <Relaxing Relax = CpuPause>
class alignas(kCacheLine) McsLock {
  public:
    /// Aligned so that it lies in one line; the rest of that line is its owner's stack, which nobody else writes, so
    /// it need not have the line to itself.
    struct alignas(16) Node {
        Word<Relax, Node*> next{nullptr};
        Word<Relax, bool> waiting{false};
    };

    void acquire(Node& node) {
        node.next.store(nullptr, std::memory_order_relaxed);
        // Order: release, so that who finds the node in tail_ writes its `next` behind our clearing of it; acquire, so
        // that we do with our predecessor's, and if there is none see the section of who had the lock last.
        Node* before = tail_.exchange(&node, std::memory_order_acq_rel);
        if (before == nullptr) return;
        node.waiting.store(true, std::memory_order_relaxed);
        // Order: release, so that our predecessor, who learns of us here, clears `waiting` behind our setting it.
        before->next.store(&node, std::memory_order_release);
        // Order: acquire, so that nothing of the section moves before it; pairs with the last store of release().
        wait_until<Relax>([&] { return !node.waiting.load(std::memory_order_acquire); });
    }

    bool try_acquire(Node& node) {
        node.next.store(nullptr, std::memory_order_relaxed);
        // Order: as the exchange above. A failure reads nothing that is used.
        Node* nobody = nullptr;
        return tail_.compare_exchange_strong(nobody, &node, std::memory_order_acq_rel, std::memory_order_relaxed);
    }

    void release(Node& node) {
        Node* after = next_of(node);
        if (after == nullptr) {
            // Order: release, so that nothing of the section moves behind it.
            Node* last = &node;
            if (tail_.compare_exchange_strong(last, nullptr, std::memory_order_release, std::memory_order_relaxed))
                return;
            // Somebody is in tail_, and has not told us yet.
            wait_until<Relax>([&] { return (after = next_of(node)) != nullptr; });
        }
        // Order: release, as above. Behind it the node is its owner's again, who may return and reuse it.
        after->waiting.store(false, std::memory_order_release);
    }

  private:
    // Order: acquire, so that its `waiting` is set before we clear it.
    static Node* next_of(Node& node) { return node.next.load(std::memory_order_acquire); }

    Word<Relax, Node*> tail_{nullptr};
};

static_assert(Lock<McsLock<>> && sizeof(McsLock<>) == kCacheLine && sizeof(McsLock<>::Node) == 16);

}  // namespace tessera::locks
