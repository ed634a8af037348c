// Which guest frame is to go, when the guest itself was not asked or did not answer: any one, by chance.
//
// A monitor sees less of how pages are used than the guest does, and whatever it chose by that would meet the guest's own
// choice: the page that is least recently used is the one that the guest throws out next. Chance has no such habits
// (Waldspurger, OSDI 2002, section 3.4).
#pragma once

#include <optional>

#include "libos/arbiter/sampling.hpp"

namespace tessera::vmm {

/// A number below `count` for which `fits(number)`: tried at random so often, then the next one that fits behind a random
/// place. Nothing: none fits.  Cost: few tries where many fit, `count` where few do.
template <class Fits>
constexpr std::optional<u64> choose_victim(u64 count, libos::RandomNumbers& random, Fits fits) {
    constexpr u64 kTries = 32;
    if (count == 0) return std::nullopt;
    for (u64 i = 0; i < kTries; ++i)
        if (const u64 at = random.below(count); fits(at)) return at;
    const u64 from = random.below(count);
    for (u64 i = 0; i < count; ++i)
        if (const u64 at = (from + i) % count; fits(at)) return at;
    return std::nullopt;
}

}  // namespace tessera::vmm
