// Random numbers for tests, the same on every run: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::test {

class Random {
  public:
    constexpr explicit Random(u64 seed) : state_(seed) {}

    constexpr u64 next() {
        u64 z = (state_ += 0x9e37'79b9'7f4a'7c15);
        z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
        z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
        return z ^ (z >> 31);
    }
    /// 0 to limit - 1. The bias of the remainder does not matter here.
    constexpr u64 below(u64 limit) { return next() % limit; }
    constexpr u64 between(u64 least, u64 most) { return least + below(most - least + 1); }
    constexpr bool one_in(u64 n) { return below(n) == 0; }

  private:
    u64 state_;
};

}  // namespace tessera::test
