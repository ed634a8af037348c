// Round robin: everybody in turn, for a quantum or, by default, for a slice of the kernel.
#pragma once

#include "libos/threads/scheduling.hpp"

namespace tessera::libos {

class RoundRobin {
  public:
    constexpr explicit RoundRobin(Quantum quantum = {}) : quantum_(quantum) {}
    void set(Quantum quantum) { quantum_ = quantum; }

    void add(Job& job, u64) { queue_.push(job); }
    Job* take(u64) { return queue_.pop(); }
    bool turn_over(const Job& running, u64, bool slice_over) { return quantum_.over(running, slice_over); }

  private:
    Quantum quantum_;
    JobQueue queue_;
};

}  // namespace tessera::libos
