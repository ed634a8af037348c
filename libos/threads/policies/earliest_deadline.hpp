// Earliest deadline first (Liu and Layland, JACM 1973): if any schedule on one CPU meets all deadlines, this one does.
// Deadlines are in the libOS's own CPU time: what it promises holds for the slices that it is given.
#pragma once

#include "libos/threads/job.hpp"

namespace tessera::libos {

class EarliestDeadline {
  public:
    void add(Job& job, u64) { heap_.push(job, job.deadline); }
    Job* take(u64) { return heap_.pop(); }
    bool turn_over(const Job& running, u64, bool) {
        return heap_.top() != nullptr && heap_.top()->key < running.deadline;
    }

  private:
    JobHeap heap_;
};

}  // namespace tessera::libos
