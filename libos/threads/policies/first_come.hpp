// First come, first served: nobody is interrupted. The convoy behind a long job is its textbook fault.
#pragma once

#include "libos/threads/job.hpp"

namespace tessera::libos {

class FirstCome {
  public:
    void add(Job& job, u64) { queue_.push(job); }
    Job* take(u64) { return queue_.pop(); }
    bool turn_over(const Job&, u64, bool) { return false; }

  private:
    JobQueue queue_;
};

}  // namespace tessera::libos
