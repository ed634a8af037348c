// The timer of a paravirtual guest: how many ticks are due, whatever period the guest asks for and however late it is.
#pragma once

#include <algorithm>

#include "exokernel/abi/types.hpp"

namespace tessera::vmm::paravirt {

/// Time is in nanoseconds since the guest's start.
class TickTimer {
  public:
    /// So short that a guest could do nothing but count; and so long (decades) that no sum of it and the time wraps.
    static constexpr u64 kShortest = 10'000, kLongest = u64{1} << 61;
    static constexpr u64 kNever = ~u64{0};

    /// A tick every `period` from now on; 0: none.
    constexpr void set(u64 now, u64 period) {
        period_ = period != 0 ? std::clamp(period, kShortest, kLongest) : 0;
        next_ = now + period_;
    }
    /// Ticks since the last time. Cost: constant.
    constexpr u64 advance(u64 now) {
        if (period_ == 0 || now < next_) return 0;
        const u64 count = 1 + (now - next_) / period_;
        next_ += count * period_;
        return count;
    }
    constexpr u64 next() const { return period_ != 0 ? next_ : kNever; }

  private:
    u64 period_ = 0, next_ = 0;
};

}  // namespace tessera::vmm::paravirt
