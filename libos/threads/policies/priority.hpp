// Strict priority, a queue for each: the most urgent runs, equals take turns. With aging, everybody rises by one at
// every interval, so that nobody waits for more than kPriorities intervals and the turns of those who came up before;
// who has had a turn is back at its own. The one that runs rises too: else those who waited a little less would
// overtake it in the middle of the turn that it waited for, and it would begin again at the bottom.
#pragma once

#include <bit>

#include "libos/threads/scheduling.hpp"

namespace tessera::libos {

class Priority {
  public:
    /// `aging`: the interval, in ticks; 0: nobody rises, and the less urgent starve while there are others.
    constexpr explicit Priority(u64 aging = 0, Quantum quantum = {}) : aging_(aging), quantum_(quantum) {}
    void set(u64 aging, Quantum quantum) {
        aging_ = aging;
        quantum_ = quantum;
    }

    void add(Job& job, u64 now) {
        age(now);
        push(job, own_level(job));
    }
    Job* take(u64 now) {
        age(now);
        if (filled_ == 0) return nullptr;
        const u32 level = highest();
        Job* job = queues_[level].pop();
        if (queues_[level].empty()) filled_ &= ~(1u << level);
        job->key = level;
        job->order = rises_;
        return job;
    }
    bool turn_over(const Job& running, u64 now, bool slice_over) {
        age(now);
        if (filled_ == 0) return false;
        return quantum_.over(running, slice_over) ? highest() >= own_level(running) : highest() > level_of(running);
    }

  private:
    static u32 own_level(const Job& job) { return job.priority < kPriorities ? job.priority : kPriorities - 1; }
    u64 level_of(const Job& running) const { return running.key + (rises_ - running.order); }
    u32 highest() const { return static_cast<u32>(std::bit_width(filled_)) - 1; }
    void push(Job& job, u32 level) {
        queues_[level].push(job);
        filled_ |= 1u << level;
    }
    void age(u64 now) {
        if (aging_ == 0) return;
        for (u32 step = 0; now - aged_ >= aging_ && step < kPriorities; ++step) {
            aged_ += aging_;
            ++rises_;
            for (u32 level = kPriorities - 1; level-- > 0;) queues_[level + 1].append(queues_[level]);
            filled_ = (filled_ << 1 & kLevels) | (filled_ & kTop);
        }
        aged_ = now - (now - aged_) % aging_;
    }

    static constexpr u32 kTop = 1u << (kPriorities - 1), kLevels = (1u << kPriorities) - 1;

    u64 aging_;
    Quantum quantum_;
    u64 aged_ = 0;    // the last multiple of the interval at which all rose
    u64 rises_ = 0;
    u32 filled_ = 0;  // bit i: queue i has somebody
    JobQueue queues_[kPriorities];
};

}  // namespace tessera::libos
