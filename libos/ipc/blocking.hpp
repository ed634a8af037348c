// Doing what needs a peer, and sleeping until it can be done. Shared by everything in this folder.
#pragma once

#include <array>

#include "libos/ipc/shared_memory.hpp"
#include "libos/transfer/wait.hpp"

namespace tessera::libos {

/// `attempt()`, which answers a Result<u64>, again and again until that is not 0 or an error. In between it sleeps until one
/// of the clauses that `terms()` makes holds, or one of `events` was notified.
/// Errors: attempt's; ended (the peer has, or its memory is gone), asleep (the deadline).
template <class Attempt, class Terms>
Result<u64> do_with_peer(EnvId peer, const SharedMemory& memory, u64 deadline, Attempt attempt, Terms terms,
                         u64 events = 0) {
    Outcome slept = Done{};
    for (;;) {
        const Result<u64> done = attempt();
        if (memory.lost()) [[unlikely]]
            return Error::ended;
        if (!done.ok() || done.value() != 0) return done;
        // Order: the attempt comes first, as it may have been done at the last moment.
        if (!slept.ok()) return slept.failure();
        const auto woken_by = terms();
        slept = sleep_for_peer(peer, woken_by, deadline, events);
    }
}

}  // namespace tessera::libos
