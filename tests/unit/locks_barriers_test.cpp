// Every barrier with real threads, phase after phase; and the one that looks right and hangs.
#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <memory>
#include <utility>

#include "exokernel/locks/central_barrier.hpp"
#include "exokernel/locks/dissemination_barrier.hpp"
#include "exokernel/locks/mcs_barrier.hpp"
#include "exokernel/locks/tournament_barrier.hpp"
#include "exokernel/locks/tree_barrier.hpp"
#include "tests/unit/locks_threads.hpp"

namespace tessera::locks {
namespace {

using test::run_threads;
using test::YieldCore;

constexpr u32 kMost = 9;
constexpr u32 kPhases = 100;

#define EVERY_BARRIER(Relax)                                                                                     \
    CentralBarrier<Relax>, TreeBarrier<kMost, Relax>, TreeBarrier<kMost, Relax, 2>, McsBarrier<kMost, Relax>,    \
        TournamentBarrier<kMost, Relax>, DisseminationBarrier<kMost, Relax>

// A kernel has nobody who would run constructors before it begins.
template <class B>
constinit B made_at_compile_time(kMost);
template <class... Barriers>
constexpr std::array<const void*, sizeof...(Barriers)> all_at_compile_time{&made_at_compile_time<Barriers>...};
static_assert(!all_at_compile_time<EVERY_BARRIER(CpuPause)>.empty());

/// Each writes its cell, waits, reads all cells, and writes again at once: with one barrier between the phases, used
/// for both. A cell that is early or late is a member that went through too soon. The cells are not atomic.
template <class B>
void check_phases(u32 members) {
    auto barrier = std::make_unique<B>(members);
    std::vector<u32> cells(members);
    std::vector<u64> wrong(members);
    run_threads(members, [&](u32 number) {
        typename B::Member member(number);
        for (u32 phase = 1; phase <= kPhases; ++phase) {
            cells[number] = phase;
            barrier->wait(member);
            for (const u32 cell : cells) wrong[number] += cell != phase;
            barrier->wait(member);
        }
    });
    for (const u64 count : wrong) CHECK(count == 0);
}

TEST_CASE_TEMPLATE("barrier: nobody goes on before all have come", B, EVERY_BARRIER(YieldCore)) {
    for (u32 members = 1; members <= kMost; ++members) {
        CAPTURE(members);
        check_phases<B>(members);
    }
}

/// What runs while somebody waits. A test gives it the others' steps, so that one thread plays them all, in an
/// order of its choice; and an end, where nobody would ever go on.
struct Scripted {
    struct Stuck {};
    static inline std::function<void()> others;
    static void pause() {
        if (!others) throw Stuck{};
        const auto now = std::exchange(others, nullptr);
        now();
    }
};

/// The barrier that one would write first: count down, wait for zero, and the last sets it back for the next use.
template <class Relax>
class NaiveBarrier {
  public:
    using Member = locks::Member;
    explicit NaiveBarrier(u32 members) : members_(members), missing_(members) {}
    void wait(Member&) {
        if (missing_.fetch_sub(1) == 1)
            missing_.store(members_);
        else
            wait_until<Relax>([&] { return missing_.load() == 0; });
    }

  private:
    u32 members_;
    std::atomic<u32> missing_;
};

/// The first comes and waits; only then the second comes, and is through before the first looks again.
template <class B>
void first_waits_second_passes() {
    B barrier(2);
    typename B::Member first(0), second(1);
    bool passed = false;
    Scripted::others = [&] {
        barrier.wait(second);
        passed = true;
    };
    barrier.wait(first);
    CHECK(passed);
}

TEST_CASE("barrier: a counter that is waited for is set back too soon") {
    CHECK_THROWS_AS(first_waits_second_passes<NaiveBarrier<Scripted>>(), Scripted::Stuck);
    first_waits_second_passes<CentralBarrier<Scripted>>();
    first_waits_second_passes<TreeBarrier<2, Scripted>>();
}

TEST_CASE("barrier: who is through may come again before the others have left") {
    CentralBarrier<Scripted> barrier(2);
    CentralBarrier<Scripted>::Member first(0), second(1);
    Scripted::others = [&] {
        barrier.wait(second);                                   // the last of the first use, and through,
        CHECK_THROWS_AS(barrier.wait(second), Scripted::Stuck);  // waits in the second for the first, which sleeps
    };
    barrier.wait(first);
    barrier.wait(first);  // the last of the second use
}

}  // namespace
}  // namespace tessera::locks
