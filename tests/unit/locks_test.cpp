// Every lock with real threads: one at a time, everyone in the end, first come first served where that is promised.
#include <doctest/doctest.h>

#include <array>
#include <memory>

#include "exokernel/locks/array_lock.hpp"
#include "exokernel/locks/counted.hpp"
#include "exokernel/locks/mcs.hpp"
#include "exokernel/locks/test_and_set.hpp"
#include "exokernel/locks/test_and_test_and_set.hpp"
#include "exokernel/locks/ticket.hpp"
#include "tests/unit/locks_threads.hpp"

namespace tessera::locks {
namespace {

using test::run_threads;
using test::YieldCore;

constexpr u32 kThreads = 4;
constexpr u32 kRounds = 2000;

thread_local u32 own_number = 0;
struct ThreadNumber {
    static u64 number() { return own_number; }
};

/// The numbers of one thread's waits, so that a test knows when it has joined a queue.
struct SignalAndYield {
    static inline std::atomic<u64> pauses[kThreads + 1]{};
    static void pause() {
        pauses[own_number].fetch_add(1);
        std::this_thread::yield();
    }
};

#define EVERY_LOCK(Relax)                                                                                            \
    TestAndSetLock<Relax>, BackoffLock<Relax>, TestAndSetLock<Relax, StaticDelay<ThreadNumber, 3>>,                  \
        TestAndTestAndSetLock<Relax>, TestAndTestAndSetLock<Relax, ExponentialDelay<1, 8>>, TicketLock<Relax>,       \
        TicketLock<Relax, 2>, ArrayLock<kThreads, Relax>, ArrayLock<2, Relax>, McsLock<Relax>,                       \
        Counted<TicketLock<Relax>>, Counted<McsLock<Relax>>, Counted<ArrayLock<8, Relax>, NoMeter>

#define EVERY_QUEUE(Relax) \
    TicketLock<Relax>, TicketLock<Relax, 2>, ArrayLock<8, Relax>, ArrayLock<2, Relax>, McsLock<Relax>

// A kernel has nobody who would run constructors before it begins.
template <class L>
constinit L made_at_compile_time;
template <class... Locks>
constexpr std::array<const void*, sizeof...(Locks)> all_at_compile_time{&made_at_compile_time<Locks>...};
static_assert(!all_at_compile_time<EVERY_LOCK(CpuPause)>.empty());

TEST_CASE_TEMPLATE("lock: taken and given back, by one", L, EVERY_LOCK(CpuPause)) {
    L lock;
    for (u32 round = 0; round < 10; ++round) {
        typename L::Node first, second;
        lock.acquire(first);
        CHECK_FALSE(lock.try_acquire(second));
        lock.release(first);
        CHECK(lock.try_acquire(second));
        CHECK_FALSE(lock.try_acquire(first));
        lock.release(second);
        Guard guard{lock};
        CHECK_FALSE(lock.try_acquire(first));
    }
}

TEST_CASE_TEMPLATE("lock: one at a time, and everyone", L, EVERY_LOCK(YieldCore)) {
    auto lock = std::make_unique<L>();
    u64 sum = 0, same = 0;  // neither is atomic: only the lock keeps them whole, and equal
    u64 torn = 0;
    run_threads(kThreads, [&](u32 index) {
        own_number = index + 1;
        for (u32 round = 0; round < kRounds; ++round) {
            Guard guard{*lock};
            torn += sum != same;
            const u64 before = sum;
            sum = before + 1;
            if (round % 64 == 0) std::this_thread::yield();  // in the middle of it
            same = before + 1;
        }
    });
    CHECK(sum == u64{kThreads} * kRounds);
    CHECK(same == sum);
    CHECK(torn == 0);
}

TEST_CASE_TEMPLATE("lock: tries exclude each other too", L, EVERY_LOCK(YieldCore)) {
    auto lock = std::make_unique<L>();
    u64 sum = 0;
    std::atomic<u64> got{0};
    run_threads(kThreads, [&](u32 index) {
        own_number = index + 1;
        for (u32 round = 0; round < kRounds; ++round) {
            typename L::Node node;
            if (index % 2 == 0) {
                lock->acquire(node);
            } else if (!lock->try_acquire(node)) {
                std::this_thread::yield();
                continue;
            }
            sum = sum + 1;
            got.fetch_add(1);
            lock->release(node);
        }
    });
    CHECK(sum == got.load());
    CHECK(sum >= u64{kThreads} / 2 * kRounds);
}

TEST_CASE_TEMPLATE("lock: first come, first served", L, EVERY_QUEUE(SignalAndYield)) {
    auto lock = std::make_unique<L>();
    std::vector<u32> served;
    std::vector<std::thread> threads;
    {
        Guard guard{*lock};
        for (u32 index = 1; index <= kThreads; ++index) {
            const u64 before = SignalAndYield::pauses[index].load();
            threads.emplace_back([&, index] {
                own_number = index;
                Guard inner{*lock};
                served.push_back(index);
            });
            while (SignalAndYield::pauses[index].load() == before) std::this_thread::yield();  // it is in the queue
        }
        CHECK(served.empty());
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(served == std::vector<u32>{1, 2, 3, 4});
}

TEST_CASE("lock: what is counted") {
    Counted<TicketLock<SignalAndYield>> lock;
    lock.acquire();
    const u64 before = SignalAndYield::pauses[1].load();
    std::thread other([&] {
        own_number = 1;
        lock.acquire();
        lock.release();
    });
    while (SignalAndYield::pauses[1].load() == before) std::this_thread::yield();
    CHECK(lock.meter().read().acquisitions == 1);
    lock.release();
    other.join();
    CHECK_FALSE((lock.acquire(), lock.try_acquire()));
    lock.release();

    const Counts counts = lock.meter().read();
    CHECK(counts.acquisitions == 3);  // a try that failed is none
    CHECK(counts.contended == 1);
    CHECK(counts.waited > 0);
}

TEST_CASE("lock: what is not counted costs nothing") {
    CHECK(sizeof(Counted<TicketLock<>, NoMeter>) == sizeof(TicketLock<>));
    CHECK(sizeof(Counted<McsLock<>, NoMeter>) == sizeof(McsLock<>));
    CHECK(sizeof(Guard<TicketLock<>>) == sizeof(void*));
}

TEST_CASE("lock: delays") {
    ExponentialDelay<4, 20> dynamic;
    for (const u64 expected : {4, 8, 16, 20, 20}) CHECK(dynamic.next() == expected);
    own_number = 5;
    CHECK(StaticDelay<ThreadNumber, 3>::next() == 15);
    own_number = 0;
}

}  // namespace
}  // namespace tessera::locks
