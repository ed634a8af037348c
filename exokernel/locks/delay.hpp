// How long to stay away from a lock that was just seen taken: none, static, dynamic.
//
// Anderson 1990 (IEEE TPDS 1(1), section III) delays after each failed attempt, so that not all who wait rush at
// a lock at once when it becomes free. A delay is made anew for each acquisition; next() answers how many pauses.
#pragma once

#include "exokernel/locks/relax.hpp"

namespace tessera::locks {

struct NoDelay {
    static constexpr u64 next() { return 0; }
};

/// Static: each has its own, `unit` times its number, so that two never try together. `Identity::number()`:
/// which CPU or thread this is. Good when as many contend as there are numbers; wasteful when few do.
template <class Identity, u64 unit>
struct StaticDelay {
    static u64 next() { return Identity::number() * unit; }
};

/// Dynamic: doubles with each failure up to a bound, as Ethernet does, so it fits itself to how many contend.
/// No random part: Mellor-Crummey and Scott 1991 (ACM TOCS 9(1), algorithm 1) have none either.
template <u64 first = 4, u64 most = 1024>
class ExponentialDelay {
    static_assert(first > 0 && first <= most);

  public:
    constexpr u64 next() {
        const u64 now = delay_;
        delay_ = now < most / 2 ? now * 2 : most;
        return now;
    }

  private:
    u64 delay_ = first;
};

}  // namespace tessera::locks
