// Threads that compete for ever with 3, 2 and 1 tickets: who gets how much, and how far from its share it ever is.
#pragma once

#include "libos/examples/workload.hpp"

namespace tessera::libos {

class Shares {
  public:
    static constexpr u64 kSharers = 3, kAllTickets = 6;
    static constexpr u32 kTickets[kSharers] = {3, 2, 1};

    /// Run until `turns` turns of `steps_a_turn` steps are done. Between steps a thread offers its turn if `offers`,
    /// else only the end of a slice interrupts it. Sends a record at every tenth of the way. False: one went wrong.
    bool run(const Scheduling& policy, u64 turns, u64 steps_a_turn, bool offers) {
        chosen = &policy;
        wanted_ = turns * steps_a_turn;
        std::optional<Thread> threads[kSharers];
        Sharer sharers[kSharers];
        {
            NoPreemption all_at_once;
            for (u64 i = 0; i < kSharers; ++i) {
                sharers[i] = {this, i, offers};
                threads[i].emplace().tickets = kTickets[i];
                right_ &= threads[i]->start(stacks_[i], share, &sharers[i]);
            }
        }
        for (auto& thread : threads) thread->join();
        return right_;
    }
    u64 steps(u64 sharer) const { return steps_[sharer]; }
    /// In steps, of anybody at any time.
    u64 worst_error() const { return worst_error_; }

  private:
    struct Sharer {
        Shares* shares;
        u64 number;
        bool offers;
    };

    static void share(void* argument) {
        const Sharer& self = *static_cast<Sharer*>(argument);
        while (self.shares->done_ < self.shares->wanted_) {
            Workload::compute();
            self.shares->count(self.number);
            if (self.offers) offer_turn();
        }
    }
    void count(u64 sharer) {
        NoPreemption guard;
        ++steps_[sharer];
        ++done_;
        for (u64 i = 0; i < kSharers; ++i) {
            const u64 ideal = done_ * kTickets[i] / kAllTickets;
            const u64 error = steps_[i] > ideal ? steps_[i] - ideal : ideal - steps_[i];
            if (error > worst_error_) worst_error_ = error;
        }
        if (done_ % (wanted_ / 10) == 0)
            right_ &= record("experiment", "shares", "steps", done_, "three", steps_[0], "two", steps_[1], "one", steps_[2])
                          .ok();
    }

    u64 wanted_ = 0, done_ = 0, worst_error_ = 0;
    u64 steps_[kSharers] = {};
    bool right_ = true;
    alignas(16) static inline std::byte stacks_[kSharers][4096];
};

}  // namespace tessera::libos
