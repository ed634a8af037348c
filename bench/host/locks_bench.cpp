// What locks and barriers cost natively: alone, and with 2 and 4 threads that do nothing but want them.
//
// For locks each thread takes the lock over and over for a stretch of time, and the acquisitions a second of all of
// them are reported: a number of rounds would be over in one thread before the next one has a core. Who waits pauses,
// and gives its core away every 64th time: there may be more threads than cores, and a queue lock whose next in line is
// not running would else wait for the end of somebody's time slice each time.
#include <benchmark/benchmark.h>
#include <sched.h>

#include <chrono>
#include <memory>

#include "exokernel/locks/array_lock.hpp"
#include "exokernel/locks/central_barrier.hpp"
#include "exokernel/locks/counted.hpp"
#include "exokernel/locks/dissemination_barrier.hpp"
#include "exokernel/locks/mcs.hpp"
#include "exokernel/locks/mcs_barrier.hpp"
#include "exokernel/locks/test_and_set.hpp"
#include "exokernel/locks/test_and_test_and_set.hpp"
#include "exokernel/locks/ticket.hpp"
#include "exokernel/locks/tournament_barrier.hpp"
#include "exokernel/locks/tree_barrier.hpp"

namespace tessera::locks {
namespace {

constexpr u32 kThreads = 4;

constexpr auto kStretch = std::chrono::milliseconds(40);  // many time slices of the host
constexpr u32 kBetweenLooks = 64;                           // acquisitions between two looks at the clock
constexpr benchmark::IterationCount kMeetings = 5000;

thread_local u32 pauses = 0;
struct PauseThenYield {
    static void pause() {
        CpuPause::pause();
        if (++pauses % 64 == 0) sched_yield();
    }
};

thread_local u64 own_number = 0;
struct ThreadNumber {
    static u64 number() { return own_number; }
};

/// 32 pauses times the thread's number.
using NumberedDelay = StaticDelay<ThreadNumber, 32>;

template <class L>
struct Shared {
    L lock;
    alignas(kCacheLine) u64 sum = 0;  // kept whole by the lock
    std::atomic<u64> counted_by_threads{0};
    std::atomic<u32> finished{0};
};

template <class L>
void take_lock(benchmark::State& state) {
    using Clock = std::chrono::steady_clock;
    static std::unique_ptr<Shared<L>> shared;
    own_number = static_cast<u64>(state.thread_index());
    if (state.thread_index() == 0) shared = std::make_unique<Shared<L>>();  // the others wait at the loop
    u64 taken = 0;
    for (auto _ : state) {
        for (const auto end = Clock::now() + kStretch; Clock::now() < end; taken += kBetweenLooks) {
            for (u32 i = 0; i < kBetweenLooks; ++i) {
                Guard guard{shared->lock};
                ++shared->sum;
                benchmark::ClobberMemory();
            }
        }
    }
    state.SetItemsProcessed(static_cast<int64_t>(taken));
    shared->counted_by_threads.fetch_add(taken);
    if (shared->finished.fetch_add(1) + 1 != static_cast<u32>(state.threads())) return;
    if (shared->sum != shared->counted_by_threads) state.SkipWithError("it did not exclude");
    if constexpr (requires { shared->lock.meter(); }) {
        const Counts counts = shared->lock.meter().read();
        state.counters["contended"] = static_cast<double>(counts.contended) / static_cast<double>(counts.acquisitions);
        if (counts.contended != 0)
            state.counters["ticks_waited"] = static_cast<double>(counts.waited) / static_cast<double>(counts.contended);
    }
}

template <class B>
void meet(benchmark::State& state) {
    static std::unique_ptr<B> barrier;
    if (state.thread_index() == 0) barrier = std::make_unique<B>(static_cast<u32>(state.threads()));
    typename B::Member member(static_cast<u32>(state.thread_index()));
    for (auto _ : state) barrier->wait(member);
}

template <class L>
void lock_bench(const char* name) {
    benchmark::RegisterBenchmark(name, take_lock<L>)->UseRealTime()->ThreadRange(1, kThreads)->Iterations(1);
}
template <class B>
void barrier_bench(const char* name) {
    benchmark::RegisterBenchmark(name, meet<B>)->UseRealTime()->ThreadRange(2, kThreads)->Iterations(kMeetings);
}

[[maybe_unused]] const bool kRegistered = [] {
    using Relax = PauseThenYield;
    lock_bench<TestAndSetLock<Relax>>("lock/test_and_set");
    lock_bench<TestAndSetLock<Relax, NumberedDelay>>("lock/test_and_set_static_delay");
    lock_bench<BackoffLock<Relax>>("lock/test_and_set_backoff");
    lock_bench<TestAndTestAndSetLock<Relax>>("lock/test_and_test_and_set");
    lock_bench<TestAndTestAndSetLock<Relax, ExponentialDelay<>>>("lock/test_and_test_and_set_backoff");
    lock_bench<TicketLock<Relax>>("lock/ticket");
    lock_bench<TicketLock<Relax, 8>>("lock/ticket_backoff");
    lock_bench<ArrayLock<kThreads, Relax>>("lock/array");
    lock_bench<McsLock<Relax>>("lock/mcs");
    lock_bench<Counted<TestAndTestAndSetLock<Relax>>>("lock/test_and_test_and_set_counted");
    lock_bench<Counted<TicketLock<Relax>>>("lock/ticket_counted");
    lock_bench<Counted<McsLock<Relax>>>("lock/mcs_counted");
    barrier_bench<CentralBarrier<Relax>>("barrier/central");
    barrier_bench<TreeBarrier<kThreads, Relax, 2>>("barrier/tree");
    barrier_bench<McsBarrier<kThreads, Relax>>("barrier/mcs");
    barrier_bench<TournamentBarrier<kThreads, Relax>>("barrier/tournament");
    barrier_bench<DisseminationBarrier<kThreads, Relax>>("barrier/dissemination");
    return true;
}();

}  // namespace
}  // namespace tessera::locks
