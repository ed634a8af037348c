// The slow path of the semaphore: the wait is for the word itself, so no wake-up can be lost.
#include "libos/ipc/semaphore.hpp"

#include "libos/ipc/blocking.hpp"

namespace tessera::libos {

bool Semaphore::try_acquire() {
    std::atomic_ref count(count_);
    u64 now = count.load(std::memory_order_relaxed);
    while (now != 0)
        if (count.compare_exchange_weak(now, now - 1, std::memory_order_acquire, std::memory_order_relaxed)) return true;
    return false;
}

Outcome Semaphore::acquire(u64 deadline) {
    TRY(do_with_peer(
        peer_, memory_, deadline, [&]() -> Result<u64> { return u64{try_acquire()}; }, [&] { return std::array{becomes_set(count_)}; },
        heard_));
    return Done{};
}

void Semaphore::release(u64 count) {
    std::atomic_ref(count_).fetch_add(count, std::memory_order_release);
    // Whoever it is may have ended by now; then nobody waits.
    if (sleeper_) static_cast<void>(sleeper_.notify(events_));
}

}  // namespace tessera::libos
