// How fast do the TSC and the local APIC's timer run? Measured by letting the PIT count once, while a host below may look away
// at any moment. What reads the hardware is passed in, so that the choice among the rounds is tested without any; a clock
// that cannot be measured is refused in words, and nothing here waits for ever.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

/// What the two counted in one and the same time of the PIT's.
struct Calibration {
    u64 tsc = 0, apic_counts = 0;
    const char* problem = nullptr;  ///< Why there is no answer: then the counts mean nothing.
};

inline constexpr int kRoundsAtLeast = 3, kRoundsAtMost = 50;
/// So often a round asks the PIT whether it is done: a second of it where a port answers in a microsecond, and enough for the
/// 2 ms of a count even if one answers in two nanoseconds. Not a number of ticks: a host that looks away makes ticks, no readings.
inline constexpr u64 kReadingsAtMost = 1 << 20;

/// `Clocks` has `start()`, from where PIT and APIC timer count, `done()`, whether the PIT has ended, `apic_counts()` since the
/// start, and `tsc()`.
/// A host that looks away makes a round longer while the PIT counts, and shorter before the first reading of the TSC or behind
/// the PIT's end. How long either may have been is known: the round counts in which it was least, and none does that is more
/// doubtful than long.
/// Cost: three rounds on a quiet machine; fifty, or one in which the PIT does not end, at most.
template <class Clocks>
constexpr Calibration calibrate(Clocks&& clocks) {
    Calibration best;
    u64 least_doubt = ~u64{0};
    for (int round = 0; round < kRoundsAtLeast || (round < kRoundsAtMost && least_doubt > best.tsc / 256); ++round) {
        const u64 before = clocks.tsc();
        clocks.start();
        const u64 begin = clocks.tsc();
        u64 counting = begin;
        for (u64 readings = 0; !clocks.done(); counting = clocks.tsc())
            if (++readings == kReadingsAtMost) return {0, 0, "the PIT does not come to the end of its count"};
        const u64 apic_counts = clocks.apic_counts();
        const u64 end = clocks.tsc();
        if (const u64 doubt = begin - before + end - counting; end > begin && doubt < least_doubt) {
            least_doubt = doubt;
            best = {end - begin, apic_counts};
        }
    }
    if (best.tsc == 0) return {0, 0, "the TSC does not go forward"};
    if (best.apic_counts == 0) return {0, 0, "the timer of the local APIC stands still"};
    if (least_doubt >= best.tsc) return {0, 0, "the PIT is at the end of its count before that can be timed"};
    return best;
}

}  // namespace tessera::kernel
