// Addresses, handed out to several who ask at the same time. That nothing is written twice is ThreadSanitizer's to see.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "libos/core/pages.hpp"
#include "tests/unit/locks_threads.hpp"

using namespace tessera;
using namespace tessera::libos;

TEST_CASE("libos: addresses are given to one only, whoever asks at the same time") {
    constexpr u32 kThreads = 4, kEach = 2000;
    struct Run {
        u64 first, count;
    };
    u64 next = 3;
    std::atomic<u32> here = 0;
    std::mutex lock;
    std::vector<Run> all;
    test::run_threads(kThreads, [&](u32 index) {
        std::vector<Run> runs;
        runs.reserve(kEach);
        const u64 count = 1 + index, alignment = u64{1} << index;
        for (++here; here != kThreads;) std::this_thread::yield();
        for (u32 i = 0; i < kEach; ++i) runs.push_back({take_in_order(next, count, alignment), count});
        const std::lock_guard guard(lock);
        all.insert(all.end(), runs.begin(), runs.end());
        CHECK(std::ranges::all_of(runs, [&](const Run& each) { return each.first % alignment == 0; }));
    });
    std::ranges::sort(all, {}, &Run::first);
    REQUIRE(all.size() == kThreads * kEach);
    CHECK(all.front().first >= 3);
    u64 overlaps = 0;
    for (u64 i = 1; i < all.size(); ++i) overlaps += all[i - 1].first + all[i - 1].count > all[i].first;
    CHECK(overlaps == 0);
    CHECK(next == all.back().first + all.back().count);
}
