// Locks and barriers on a simulated bus: any order of turns keeps them right, and the traffic they make is what the
// literature says (Anderson 1990; Mellor-Crummey and Scott 1991).
#include <doctest/doctest.h>

#include <array>

#include "exokernel/locks/array_lock.hpp"
#include "exokernel/locks/central_barrier.hpp"
#include "exokernel/locks/dissemination_barrier.hpp"
#include "exokernel/locks/mcs.hpp"
#include "exokernel/locks/mcs_barrier.hpp"
#include "exokernel/locks/test_and_set.hpp"
#include "exokernel/locks/test_and_test_and_set.hpp"
#include "exokernel/locks/ticket.hpp"
#include "exokernel/locks/tournament_barrier.hpp"
#include "exokernel/locks/tree_barrier.hpp"
#include "tests/unit/random.hpp"
#include "tests/unit/simulated_bus.hpp"

namespace tessera::locks {
namespace {

using test::Random;
using test::SimulatedBus;
using test::SimulatedCpu;

constexpr u32 kSeeds = 40;

/// Turns at random, now and then a long row of them for the same one: who sleeps in the wrong place.
SimulatedBus::Choose by_chance(Random& random) {
    return [&random, favourite = u64{0}](u64 running) mutable {
        if (random.one_in(20)) favourite = random.next();
        return (random.one_in(2) ? favourite : random.next()) % running;
    };
}

TEST_CASE_TEMPLATE("simulated bus: a lock excludes, whoever has the next turn", L, TestAndSetLock<SimulatedCpu>,
                   BackoffLock<SimulatedCpu>, TestAndTestAndSetLock<SimulatedCpu>, TicketLock<SimulatedCpu>,
                   TicketLock<SimulatedCpu, 2>, ArrayLock<4, SimulatedCpu>, ArrayLock<2, SimulatedCpu>,
                   McsLock<SimulatedCpu>) {
    for (u64 seed = 1; seed <= kSeeds; ++seed) {
        Random random(seed);
        L lock;
        u32 inside = 0, most_inside = 0, sections = 0;
        const bool ended = SimulatedBus::run(
            4,
            [&](u32) {
                for (u32 round = 0; round < 10; ++round) {
                    typename L::Node node;
                    if (round % 3 != 2)
                        lock.acquire(node);
                    else if (!lock.try_acquire(node))
                        continue;
                    most_inside = std::max(most_inside, ++inside);
                    SimulatedBus::pass();
                    --inside;
                    ++sections;
                    lock.release(node);
                }
            },
            by_chance(random));
        CAPTURE(seed);
        CHECK(ended);
        CHECK(most_inside == 1);
        CHECK(sections >= 4 * 7);
    }
}

TEST_CASE_TEMPLATE("simulated bus: a barrier holds, whoever has the next turn", B, CentralBarrier<SimulatedCpu>,
                   TreeBarrier<7, SimulatedCpu, 2>, McsBarrier<7, SimulatedCpu>, TournamentBarrier<7, SimulatedCpu>,
                   DisseminationBarrier<7, SimulatedCpu>) {
    for (u64 seed = 1; seed <= kSeeds; ++seed) {
        Random random(seed);
        const u32 members = static_cast<u32>(random.between(1, 7));
        B barrier(members);
        std::array<u32, 7> phase_of{};
        u32 ahead = 0;
        const bool ended = SimulatedBus::run(
            members,
            [&](u32 number) {
                typename B::Member member(number);
                for (u32 phase = 1; phase <= 8; ++phase) {
                    phase_of[number] = phase;
                    barrier.wait(member);
                    for (u32 other = 0; other < members; ++other) ahead += phase_of[other] < phase;
                }
            },
            by_chance(random));
        CAPTURE(seed);
        CAPTURE(members);
        CHECK(ended);
        CHECK(ahead == 0);
    }
}

/// Bus transactions until that many CPUs, which all want the lock while it is held, have each had it for `section`
/// turns.
template <class L>
u64 traffic(u32 cpus, u32 section) {
    auto lock = std::make_unique<L>();
    REQUIRE(SimulatedBus::run(
        cpus,
        [&](u32) {
            Guard guard{*lock};
            for (u32 i = 0; i < section; ++i) SimulatedBus::pass();
        },
        SimulatedBus::round_robin));
    return SimulatedBus::transactions();
}

TEST_CASE("simulated bus: who exchanges again and again makes traffic as long as the lock is held") {
    CHECK(traffic<TestAndSetLock<SimulatedCpu>>(8, 80) > traffic<TestAndSetLock<SimulatedCpu>>(8, 40) * 3 / 2);
    CHECK(traffic<BackoffLock<SimulatedCpu>>(8, 80) < traffic<TestAndSetLock<SimulatedCpu>>(8, 80) / 4);
}

TEST_CASE_TEMPLATE("simulated bus: who reads its own copy makes none while the lock is held", L,
                   TestAndTestAndSetLock<SimulatedCpu>, TicketLock<SimulatedCpu>, ArrayLock<16, SimulatedCpu>,
                   McsLock<SimulatedCpu>) {
    CHECK(traffic<L>(8, 80) == traffic<L>(8, 40));
}

TEST_CASE_TEMPLATE("simulated bus: one word for all who wait is O(n^2) transactions for n acquisitions", L,
                   TestAndTestAndSetLock<SimulatedCpu>, TicketLock<SimulatedCpu>) {
    for (const u32 cpus : {4, 8, 16}) {
        CAPTURE(cpus);
        CHECK(traffic<L>(cpus, 20) >= cpus * (cpus - 1) / 2);
    }
    CHECK(traffic<L>(32, 20) > traffic<L>(16, 20) * 3);
}

TEST_CASE_TEMPLATE("simulated bus: a place of one's own is O(1) transactions for each", L, ArrayLock<32, SimulatedCpu>,
                   McsLock<SimulatedCpu>) {
    for (const u32 cpus : {4, 8, 16, 32}) {
        CAPTURE(cpus);
        CHECK(traffic<L>(cpus, 20) <= cpus * 7);
    }
}

}  // namespace
}  // namespace tessera::locks
