// What a scheduling policy sees of a thread, and the two queues that policies are made of.
//
// Pure: no clock, no thread, no kernel. A policy is the same on the host, where it is held against naive models.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::libos {

/// All times are TSC ticks; ticks that others had the CPU do not count (cpu_time() of threads.hpp).
struct Job {
    static constexpr u64 kUnknown = ~u64{0};

    // What the program says of it: before it starts, or in its own turn, and then it counts from the next one on.
    u64 length = kUnknown;    ///< Expected CPU time until it next waits or ends.
    u64 deadline = kUnknown;  ///< When it ought to have ended or to wait again.
    u32 priority = 0;         ///< Larger is more urgent; below kPriorities.
    u32 tickets = 1;          ///< Its share of the CPU, in proportion.

    // What is kept by who runs it.
    u64 used = 0;  ///< CPU time since it last waited.
    u64 turn = 0;  ///< Of that, in its turn, or, while it is not running, in the last one.

    // The policy's own, while it waits for the CPU or runs.
    u64 key = 0, order = 0;
    u64 pass = 0;
    Job* next = nullptr;
    Job* child = nullptr;
};

inline constexpr u32 kPriorities = 16;

/// First in, first out.  Cost: constant.
class JobQueue {
  public:
    bool empty() const { return first_ == nullptr; }
    void push(Job& job) {
        job.next = nullptr;
        (first_ == nullptr ? first_ : last_->next) = &job;
        last_ = &job;
    }
    Job* pop() {
        Job* job = first_;
        if (job != nullptr) first_ = job->next;
        return job;
    }
    /// Take all of `other` in behind one's own.
    void append(JobQueue& other) {
        if (other.first_ == nullptr) return;
        (first_ == nullptr ? first_ : last_->next) = other.first_;
        last_ = other.last_;
        other.first_ = nullptr;
    }

  private:
    Job* first_ = nullptr;
    Job* last_ = nullptr;
};

/// Smallest key first, equal keys in the order in which they came: a pairing heap (Fredman, Sedgewick, Sleator and
/// Tarjan, Algorithmica 1986), which needs no memory but two links in each job.
/// Cost: push constant, pop logarithmic on average over many.
class JobHeap {
  public:
    const Job* top() const { return root_; }
    void push(Job& job, u64 key) {
        job.key = key;
        job.order = pushed_++;
        job.next = job.child = nullptr;
        root_ = root_ == nullptr ? &job : meld(root_, &job);
    }
    Job* pop() {
        Job* least = root_;
        if (least != nullptr) root_ = meld_children(least->child);
        return least;
    }

  private:
    static bool before(const Job& a, const Job& b) { return a.key != b.key ? a.key < b.key : a.order < b.order; }
    static Job* meld(Job* a, Job* b) {
        if (before(*b, *a)) {
            Job* swapped = a;
            a = b;
            b = swapped;
        }
        b->next = a->child;
        a->child = b;
        return a;
    }
    /// From left to right in pairs, then the pairs from right to left: what makes the bound hold.
    static Job* meld_children(Job* child) {
        Job* pairs = nullptr;
        while (child != nullptr) {
            Job* one = child;
            Job* other = one->next;
            child = other == nullptr ? nullptr : other->next;
            one->next = nullptr;
            if (other != nullptr) {
                other->next = nullptr;
                one = meld(one, other);
            }
            one->next = pairs;
            pairs = one;
        }
        Job* root = nullptr;
        while (pairs != nullptr) {
            Job* one = pairs;
            pairs = one->next;
            one->next = nullptr;
            root = root == nullptr ? one : meld(root, one);
        }
        return root;
    }

    Job* root_ = nullptr;
    u64 pushed_ = 0;
};

}  // namespace tessera::libos
