// By expected length: the shortest job first, to its end; or whoever has the shortest time remaining, at any time.
//
// Of all orders without interruption the first has the least mean waiting time of jobs that are there together, and of
// all schedules the second has the least mean completion time (Smith 1956; Schrage 1968). Both starve the long.
// Lengths are what threads say; one that says nothing comes last.
#pragma once

#include "libos/threads/job.hpp"

namespace tessera::libos {

class ShortestJob {
  public:
    void add(Job& job, u64) { heap_.push(job, job.length); }
    Job* take(u64) { return heap_.pop(); }
    bool turn_over(const Job&, u64, bool) { return false; }

  private:
    JobHeap heap_;
};

class ShortestRemaining {
  public:
    void add(Job& job, u64) { heap_.push(job, remaining(job)); }
    Job* take(u64) { return heap_.pop(); }
    bool turn_over(const Job& running, u64, bool) {
        return heap_.top() != nullptr && heap_.top()->key < remaining(running);
    }

  private:
    /// One that has used more than it said will surely not be long now: nothing better is known.
    static u64 remaining(const Job& job) {
        if (job.length == Job::kUnknown) return job.length;
        return job.length > job.used ? job.length - job.used : 0;
    }

    JobHeap heap_;
};

}  // namespace tessera::libos
