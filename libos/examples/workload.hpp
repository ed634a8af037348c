// A workload run by threads, for comparing policies: jobs that are released at their times, compute, and are timed.
//
// Time is counted in units. A unit is so many steps of a counted loop, and how many ticks that takes is measured: so
// the figures compare with those of textbooks, on any machine.
#pragma once

#include <optional>
#include <span>

#include "libos/core/libos.hpp"
#include "libos/core/preemption.hpp"
#include "libos/threads/scheduling.hpp"
#include "libos/threads/threads.hpp"

namespace tessera::libos {

inline constexpr u64 kStepsAUnit = 16, kIterationsAStep = 1000, kMostTasks = 16;

/// In units; deadlines from the beginning on, 0: none.
struct Task {
    u64 release, length;
    u64 deadline = 0;
    u32 priority = 0;
};

/// What came out, in ticks: sums, and the worst.
struct Measured {
    u64 jobs = 0, makespan = 0, waiting = 0, turnaround = 0, worst_wait = 0, missed = 0;
    u64 finished[kMostTasks] = {};  ///< From the beginning on.
};

/// The policy in force. Changed between runs only, when no thread waits for the CPU.
inline constinit const Scheduling* chosen = nullptr;

class Workload {
  public:
    /// Between steps a task offers its turn, unless `offers` is false: then only the end of a slice interrupts it.
    explicit Workload(std::span<const Task> tasks, bool offers = true) : tasks_(tasks), offers_(offers) {}

    Measured run(const Scheduling& policy) {
        chosen = &policy;
        {
            NoPreemption all_at_once;
            began_ = cpu_time();
            due_ = 0;
            release_due();
        }
        for (u64 i = 0; i < tasks_.size(); ++i) {
            while (i >= released_) {  // nobody else has anything to do
                step();
                offer_turn();
            }
            threads_[i]->join();
        }
        for (u64 i = 0; i < tasks_.size(); ++i) count(i);
        return measured_;
    }

    /// The loop that everything is counted in.
    static void compute() {
        for (u64 i = 0; i < kIterationsAStep; ++i) asm volatile("");
    }
    /// Ticks of a unit, as tasks spend it: the least of some, as an end of a slice costs a little.
    static u64 unit() {
        static u64 least = 0;
        if (least != 0) return least;
        constexpr u64 kRounds = 8;
        u64 measured = ~u64{0};
        Workload nothing({});
        for (u64 round = 0; round < kRounds; ++round) {
            const u64 before = cpu_time();
            for (u64 i = 0; i < kStepsAUnit; ++i) {
                nothing.step();
                offer_turn();
            }
            const u64 took = cpu_time() - before;
            if (took < measured) measured = took;
        }
        return least = measured;
    }

  private:
    void step() {
        compute();
        release_due();
    }
    void release_due() {
        while (cpu_time() - began_ >= due_) {
            NoPreemption one_by_one;
            const u64 i = released_++;
            const Task& task = tasks_[i];
            due_ = released_ < tasks_.size() ? tasks_[released_].release * unit() : kNever;
            Thread& thread = threads_[i].emplace();
            thread.length = task.length * unit();
            thread.priority = task.priority;
            if (task.deadline != 0) thread.deadline = began_ + task.deadline * unit();
            running_[i] = {this, i, 0};
            if (!thread.start(stacks_[i], work, &running_[i])) exit(kFatalExit);
        }
    }
    static void work(void* argument) {
        Running& self = *static_cast<Running*>(argument);
        Workload& all = *self.workload;
        for (u64 steps = all.tasks_[self.number].length * kStepsAUnit;;) {
            all.step();
            if (--steps == 0) break;
            if (all.offers_) offer_turn();
        }
        self.finished = cpu_time();
    }
    void count(u64 i) {
        const u64 finished = running_[i].finished - began_;
        const u64 turnaround = finished - tasks_[i].release * unit();
        const u64 waiting = turnaround > threads_[i]->used ? turnaround - threads_[i]->used : 0;
        ++measured_.jobs;
        measured_.finished[i] = finished;
        measured_.turnaround += turnaround;
        measured_.waiting += waiting;
        if (measured_.worst_wait < waiting) measured_.worst_wait = waiting;
        if (measured_.makespan < finished) measured_.makespan = finished;
        if (tasks_[i].deadline != 0 && finished > tasks_[i].deadline * unit()) ++measured_.missed;
    }

    struct Running {
        Workload* workload;
        u64 number, finished;
    };

    std::span<const Task> tasks_;
    bool offers_;
    static constexpr u64 kNever = ~u64{0};

    u64 began_ = 0;
    u64 released_ = 0, due_ = kNever;  // so many tasks are; when the next one is, from the beginning on
    Measured measured_;
    Running running_[kMostTasks];
    std::optional<Thread> threads_[kMostTasks];
    alignas(16) static inline std::byte stacks_[kMostTasks][4096];
};

}  // namespace tessera::libos
