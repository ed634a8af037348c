// Measuring the timers against the PIT, on made-up hardware below a made-up host that looks away when the test says so.
#include <doctest/doctest.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "exokernel/drivers/calibration.hpp"

namespace tessera::kernel {
namespace {

constexpr u64 kCount = 2'400'000;  // TSC ticks in which the PIT counts down
constexpr u64 kReadTsc = 20, kReadPort = 1000, kStart = 6000, kReadApic = 300;
constexpr u64 kApicRatio = 4;  // TSC ticks for a count
// What the readings themselves add to a round: the last look at the PIT may begin just before its end.
constexpr u64 kSlack = 2 * (kReadPort + 2 * kReadTsc) + kReadApic;

enum class At { before_the_start, behind_the_start, while_counting, at_the_end, behind_the_end };

/// The host looks away for so many TSC ticks, once, in that round.
struct Gap {
    int round;
    At at;
    u64 ticks;
};

enum class Tsc { runs, stands_still, runs_backward };
enum class Pit { counts, stands_still, is_done_at_once, is_done_at_second_look };

struct World {
    std::vector<Gap> gaps{};
    Pit pit = Pit::counts;
    Tsc clock = Tsc::runs;
    bool apic_runs = true;

    u64 now = 1'000'000, pit_began = 0, apic_began = 0, readings = 0, looks = 0;
    int rounds = 0;

    void pass(u64 ticks) { now += ticks; }
    void look_away(At at) {
        for (Gap& gap : gaps)
            if (gap.round == rounds && gap.at == at) pass(std::exchange(gap.ticks, 0));
    }
    u64 tsc() {
        pass(kReadTsc);
        return clock == Tsc::runs ? now : clock == Tsc::stands_still ? 77 : (u64{1} << 40) - now;
    }
    void start() {
        ++rounds;
        looks = 0;
        look_away(At::before_the_start);
        pass(kStart);
        pit_began = apic_began = now;
        look_away(At::behind_the_start);
    }
    bool done() {
        ++readings;
        ++looks;
        if (now - pit_began > kCount / 4) look_away(At::while_counting);
        if (now - pit_began > kCount - 3 * kReadPort) look_away(At::at_the_end);
        pass(kReadPort);
        if (pit == Pit::stands_still) return false;
        if (pit == Pit::is_done_at_once) return true;
        if (pit == Pit::is_done_at_second_look) return looks == 2;
        return now - pit_began >= kCount;
    }
    u64 apic_counts() {
        look_away(At::behind_the_end);
        pass(kReadApic);
        return apic_runs ? std::min<u64>((now - apic_began) / kApicRatio, 0xffff'ffff) : 0;
    }
};

/// As exact as on a quiet machine.
void check_exact(const Calibration& found) {
    REQUIRE(found.problem == nullptr);
    CHECK(found.tsc >= kCount - kSlack);
    CHECK(found.tsc <= kCount + kSlack);
    CHECK(found.apic_counts >= (kCount - kSlack) / kApicRatio);
    CHECK(found.apic_counts <= (kCount + kSlack) / kApicRatio);
}

constexpr At kMoments[] = {At::before_the_start, At::behind_the_start, At::while_counting, At::at_the_end,
                           At::behind_the_end};

TEST_CASE("timers: a quiet machine needs three rounds") {
    World world;
    check_exact(calibrate(world));
    CHECK(world.rounds == kRoundsAtLeast);
}

TEST_CASE(
    "timers: a host that looks away in one round does not count, whichever it is, at any moment and for any time") {
    for (const At at : kMoments)
        for (int round = 1; round <= kRoundsAtLeast; ++round)
            for (const u64 ticks : {kCount / 100, kCount / 2, kCount - kCount / 50, 2 * kCount, 1000 * kCount}) {
                World world{{{round, at, ticks}}};
                check_exact(calibrate(world));
                CHECK(world.rounds == kRoundsAtLeast);
            }
}

TEST_CASE("timers: one quiet round is enough, first, last or in between") {
    for (const int quiet : {1, 2, 3, 4, 30, kRoundsAtMost})
        for (const At at : {At::behind_the_start, At::at_the_end, At::behind_the_end}) {
            World world;
            for (int round = 1; round <= kRoundsAtMost; ++round)
                if (round != quiet) world.gaps.push_back({round, at, kCount / 3 + static_cast<u64>(round) * 1000});
            check_exact(calibrate(world));
            CHECK(world.rounds == std::max(quiet, kRoundsAtLeast));
        }
}

TEST_CASE("timers: rounds are disturbed in several ways, and more rounds are made until one is quiet") {
    World world;
    for (int round = 1; round <= 20; ++round) {
        world.gaps.push_back({round, kMoments[round % 5], kCount / 5});
        world.gaps.push_back({round, At::at_the_end, kCount / 10});
    }
    check_exact(calibrate(world));
    CHECK(world.rounds == 21);
}

TEST_CASE("timers: of rounds that are all disturbed, the least disturbed one is the answer") {
    constexpr u64 kLeast = kCount / 50;
    for (const At at : {At::behind_the_start, At::at_the_end, At::behind_the_end}) {
        World world;
        for (int round = 1; round <= kRoundsAtMost; ++round)
            world.gaps.push_back({round, at, round == 33 ? kLeast : kCount / 10 + static_cast<u64>(round)});
        const Calibration found = calibrate(world);
        CHECK(world.rounds == kRoundsAtMost);
        REQUIRE(found.problem == nullptr);
        CHECK(found.tsc >= kCount - kLeast - kSlack);
        CHECK(found.tsc <= kCount + kLeast + kSlack);
    }
}

TEST_CASE("timers: clocks that cannot be measured are refused in words, after a bounded time") {
    const auto refusal = [](World world) {
        const Calibration found = calibrate(world);
        CHECK(world.readings <= kReadingsAtMost);
        CHECK(world.rounds <= kRoundsAtMost);
        return std::string_view{found.problem == nullptr ? "none" : found.problem};
    };
    CHECK(refusal({{}, Pit::stands_still}) == "the PIT does not come to the end of its count");
    CHECK(refusal({{}, Pit::is_done_at_once}) == "the PIT is at the end of its count before that can be timed");
    CHECK(refusal({{}, Pit::is_done_at_second_look}) == "the PIT is at the end of its count before that can be timed");
    CHECK(refusal({{}, Pit::counts, Tsc::stands_still}) == "the TSC does not go forward");
    CHECK(refusal({{}, Pit::counts, Tsc::runs_backward}) == "the TSC does not go forward");
    CHECK(refusal({{}, Pit::counts, Tsc::runs, false}) == "the timer of the local APIC stands still");

    World never_there;
    for (int round = 1; round <= kRoundsAtMost; ++round)
        never_there.gaps.push_back({round, At::behind_the_start, 3 * kCount});
    CHECK(refusal(never_there) == "the PIT is at the end of its count before that can be timed");
}

}  // namespace
}  // namespace tessera::kernel
