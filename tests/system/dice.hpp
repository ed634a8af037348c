// Random numbers for tests on the machine, the same for the same seed: xorshift64* (Vigna 2016).
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera {

class Dice {
  public:
    constexpr explicit Dice(u64 seed) : state_(seed | 1) {}
    constexpr u64 next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545'f491'4f6c'dd1d;
    }
    constexpr u64 below(u64 limit) { return (next() >> 8) % limit; }
    constexpr bool one_in(u64 n) { return below(n) == 0; }

  private:
    u64 state_;
};

}  // namespace tessera
