// How fast do the TSC and the local APIC's timer run? Measured by letting the PIT count once, while a host below may look away
// at any moment. What reads the hardware is passed in, so that the choice among the rounds is tested without any; a clock
// that cannot be measured is refused in words, and nothing here waits for ever.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

/// What all three counted in one and the same time.
struct Calibration {
    u64 tsc = 0, apic_counts = 0, pit_counts = 0;
    const char* problem = nullptr;  ///< Why there is no answer: then the counts mean nothing.
};

inline constexpr u16 kPitCounts = 2386;  ///< 2 ms.
inline constexpr int kRoundsAtLeast = 3, kRoundsAtMost = 200, kRoundsOfALength = 50;
/// So often a round asks the PIT whether it is done: a second of it where a port answers in a microsecond, and enough for the
/// 2 ms of a count even if one answers in two nanoseconds. Not a number of ticks: a host that looks away makes ticks, no readings.
inline constexpr u64 kReadingsAtMost = 1 << 20;

/// `Clocks` has `start(pit_counts)`, from where PIT and APIC timer count, `done()`, whether the PIT has ended, `apic_counts()`
/// since the start, and `tsc()`.
/// A host that looks away makes a round longer while the PIT counts, and shorter before the first reading of the TSC or behind
/// the PIT's end. How long either may have been is known: the round counts in which that was least beside its length, and none
/// does in which it was half. A host that looks away more often than a round takes spoils all of them, so they become shorter.
/// Cost: three rounds on a quiet machine; two hundred, or one in which the PIT does not end, at most.
template <class Clocks>
constexpr Calibration calibrate(Clocks&& clocks) {
    Calibration best;
    u64 least_doubt = 0;
    bool forward = false;
    const auto is_good = [&] { return best.tsc != 0 && least_doubt <= best.tsc / 256; };
    for (int round = 0; round < kRoundsAtLeast || (round < kRoundsAtMost && !is_good()); ++round) {
        const u16 pit_counts = static_cast<u16>(kPitCounts >> (round / kRoundsOfALength));
        const u64 before = clocks.tsc();
        clocks.start(pit_counts);
        const u64 begin = clocks.tsc();
        // Order: read before the look that it counted still at. Read behind it, the host could have looked away in between.
        u64 counting = begin, readings = 0;
        for (u64 now = begin; !clocks.done(); now = clocks.tsc()) {
            counting = now;
            if (++readings == kReadingsAtMost) return {.problem = "the PIT does not come to the end of its count"};
        }
        const u64 apic_counts = clocks.apic_counts();
        const u64 end = clocks.tsc();
        if (end <= begin) continue;
        forward = true;
        const u64 length = end - begin, doubt = begin - before + end - counting;
        if (doubt > length / 2) continue;
        if (best.tsc == 0 || doubt * best.tsc < least_doubt * length) {
            least_doubt = doubt;
            best = {length, apic_counts, pit_counts, nullptr};
        }
    }
    if (!forward) return {.problem = "the TSC does not go forward"};
    if (best.tsc == 0) return {.problem = "the PIT is at the end of its count before that can be timed"};
    if (best.apic_counts == 0) return {.problem = "the timer of the local APIC stands still"};
    return best;
}

}  // namespace tessera::kernel
