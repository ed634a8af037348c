// The guest's time: nanoseconds since its machine was made, out of the time-stamp counter, by one multiplication.
//
// It goes on while other environments run, as time does; what a guest missed it is told when it runs again.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

class Clock {
  public:
    /// `hz`: ticks of the TSC a second; `now`: where the guest's time begins.
    constexpr Clock(u64 hz, u64 now)
        : begin_(now), nanoseconds_per_tick_((kSecond << 32) / hz), ticks_per_nanosecond_((hz << 24) / kSecond + 1) {}

    u64 begin() const { return begin_; }
    /// Before it began, by the counter of another CPU that is a little behind, it is 0 and not centuries later.
    constexpr u64 nanoseconds(u64 tsc) const { return tsc < begin_ ? 0 : multiply(tsc - begin_, nanoseconds_per_tick_, 32); }
    /// The TSC at a time; a little late rather than early, so that who waits for it finds it come. Centuries ahead: kNever.
    u64 tsc_at(u64 nanoseconds) const {
        return nanoseconds < kFar ? begin_ + multiply(nanoseconds, ticks_per_nanosecond_, 24) : kNever;
    }
    static constexpr u64 kNever = ~u64{0};

  private:
    static constexpr u64 kSecond = 1'000'000'000;
    static constexpr u64 kFar = u64{1} << 60;  // of which the ticks fit in a word, up to 16 GHz
    static constexpr u64 multiply(u64 value, u64 factor, int shift) {
        return static_cast<u64>(static_cast<unsigned __int128>(value) * factor >> shift);
    }

    u64 begin_;
    u64 nanoseconds_per_tick_;  // in units of 2^-32
    u64 ticks_per_nanosecond_;  // in units of 2^-24
};

}  // namespace tessera::vmm
