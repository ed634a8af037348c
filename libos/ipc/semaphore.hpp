// A semaphore in shared memory: one word, for any number of environments on any CPUs.
//
// Without contention it is one atomic instruction on either side and no call. A peer that writes nonsense there makes it
// count nonsense, as it could by releasing and acquiring as it likes; nothing else comes of it.
#pragma once

#include "libos/ipc/ring.hpp"
#include "libos/ipc/shared_memory.hpp"
#include "libos/transfer/gate.hpp"
#include "libos/transfer/wait.hpp"

namespace tessera::libos {

class Semaphore {
  public:
    /// The count is the word at `offset`, which must be a multiple of 8. `peer`: who else uses it, so that its end is
    /// noticed and it gets the CPU; zero: more than one.
    Semaphore(SharedMemory& memory, u64 offset, EnvId peer = {})
        : memory_(memory), count_(memory.at<u64>(offset)), peer_(peer) {}

    /// Let `sleeper`, the gate of somebody on another CPU who acquires with the same `events`, hear of each release at
    /// once, rather than when its CPU looks at its predicate again.
    void notify_by(Gate sleeper, u64 events) {
        sleeper_ = sleeper;
        events_ = events;
    }
    /// Sleep for these events too.
    void hear(u64 events) { heard_ = events; }

    /// Take one if there is one.
    bool try_acquire();
    /// Take one, sleeping until there is one.
    /// Errors: ended (the peer has, or the memory is gone), asleep (not by `deadline`, TSC).
    Outcome acquire(u64 deadline = kForever);
    /// Add `count`.
    void release(u64 count = 1);

  private:
    SharedMemory& memory_;
    u64& count_;
    EnvId peer_;
    Gate sleeper_;
    u64 events_ = 0, heard_ = 0;
};

}  // namespace tessera::libos
