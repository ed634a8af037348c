// What a switch costs with pages to touch behind it, in the shape of lmbench's lat_ctx: members of a ring hand
// the CPU round, and each touches its working set whenever it comes.
//
// One boot has one policy and one bound (the kernel's options); inside it all working sets and ring sizes follow
// each other, the largest last, in an order that every member knows. Member 0 measures whole rounds and reports a
// record for each; every member reports the sum of all that it touched.
//
// Arguments: turns=N (measured), largest=N (pages), ring=N (members).
#include <algorithm>

#include "bench/system/ring.hpp"
#include "bench/system/working_set.hpp"

using namespace tessera;
using namespace tessera::bench;

namespace {

constexpr u64 kWarmUp = 8;  // turns of each phase that are not measured: a bound that is first in, first out settles slowly
constexpr u64 kMostTurns = 64;
constexpr u64 kPages[] = {0, 1, 8, 64, 128, 256, 512};
constexpr u64 kRings[] = {2, 4, 8};

Ring ring;
[[gnu::section(".guaranteed.data")]] constinit WorkingSet working_set;

[[gnu::section(".guaranteed.text")]] bool resolve(VirtAddr at, u64) { return working_set.resolve(at); }

/// What the accounts of the first `size` members add up to.
struct Counts {
    u64 hits = 0, misses = 0, upcalls = 0, preloads = 0, wipes = 0;
    static Counts of(u64 size) {
        Counts sum;
        for (u64 member = 0; member < size; ++member) {
            const EnvironmentInfo& info = ring.accounts_of(member);
            sum.hits += info.hits;
            sum.misses += info.misses;
            sum.upcalls += info.upcalls;
            sum.preloads += info.preloads;
            sum.wipes += info.wipes;
        }
        return sum;
    }
};

struct Phase {
    u64 size, pages, turns;
};

/// Take part in a phase; answers the sum of what was touched. `rounds` gets how long each measured round took.
u64 take_turns(const Phase& phase, u64* rounds, Counts& before) {
    u64 sum = 0, begun = 0;
    for (u64 turn = 0; turn < kWarmUp + phase.turns; ++turn) {
        if (turn == kWarmUp && ring.self() == 0) before = Counts::of(phase.size);
        if (turn >= kWarmUp) begun = ticks();
        sum += working_set.touch();
        ring.pass_on();
        if (turn >= kWarmUp) rounds[turn - kWarmUp] = ticks() - begun;
    }
    return sum;
}

bool report(const Phase& phase, u64* rounds, const Counts& before) {
    const Counts now = Counts::of(phase.size);
    std::sort(rounds, rounds + phase.turns);
    return record("environments", phase.size, "pages", phase.pages, "turns", phase.turns, "ticks", rounds[phase.turns / 2],
                  "least", rounds[0], "most", rounds[phase.turns - 1], "hits", now.hits - before.hits, "misses",
                  now.misses - before.misses, "upcalls", now.upcalls - before.upcalls, "preloads",
                  now.preloads - before.preloads, "wipes", now.wipes - before.wipes)
        .ok();
}

}  // namespace

int libos_main() {
    const u64 turns = std::min(argument("turns", 3), kMostTurns), members = std::min(argument("ring", 8), kMostMembers);
    const u64 largest = std::min(argument("largest", kMostPages), kMostPages);
    static u64 rounds[kMostTurns];
    const bool complete = ring.open(members);
    if (ring.self() >= members) return 0;  // not wanted this time
    if (!complete || !working_set.open(ring.self()).ok()) return 1;
    set_fault_policy(resolve);
    u64 sum = 0;
    for (const u64 pages : kPages) {
        for (const u64 size : kRings) {
            if (pages > largest || size > members || ring.self() >= size) continue;
            const Phase phase{size, pages, turns};
            Counts before;
            if (!working_set.resize(pages).ok()) return 1;
            ring.begin(size);
            sum += take_turns(phase, rounds, before);
            if (ring.self() == 0 && !report(phase, rounds, before)) return 1;
        }
    }
    if (!record("member", ring.self(), "sum", sum).ok()) return 1;
    if (ring.self() == 0) ring.see_off();
    return 0;
}
