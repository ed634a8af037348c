// Threads for the tests of locks and barriers: more of them than cores, so who waits gives its core away.
#pragma once

#include <thread>
#include <vector>

#include "exokernel/locks/relax.hpp"

namespace tessera::test {

struct YieldCore {
    static void pause() { std::this_thread::yield(); }
};

/// Runs `body(index)` in that many threads, and waits for them.
template <class Body>
void run_threads(u32 count, Body body) {
    std::vector<std::thread> threads;
    for (u32 index = 0; index < count; ++index) threads.emplace_back(body, index);
    for (std::thread& thread : threads) thread.join();
}

}  // namespace tessera::test
