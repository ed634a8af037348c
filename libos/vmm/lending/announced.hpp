// Who said last that it has a page with that hash: small sets, in which those who come later push others out. A hint, like
// the monitors' own (memory/hints.hpp): whoever it names may have written the page since, or may have lied.
#pragma once

#include <span>

#include "libos/arbiter/sampling.hpp"

namespace tessera::vmm {

class Announced {
  public:
    static constexpr u64 kWays = 4;
    static constexpr u64 kMostSeats = 15;

    constexpr Announced() = default;
    /// `places`: a power of two, at least kWays, zero.
    constexpr explicit Announced(std::span<u64> places) : places_(places) {}

    /// Who is known to have it; if nobody is, it is noted that `seat` has, who is the answer then.
    constexpr u64 find_or_note(u64 hash, u64 seat) {
        const std::span<u64, kWays> set = set_of(hash);
        u64* place = &set[random_.below(kWays)];
        for (u64& each : set) {
            if (each == 0) place = &each;
            if (each != 0 && (each & ~kSeat) == (hash & ~kSeat)) return (each & kSeat) - 1;
        }
        *place = (hash & ~kSeat) | (seat + 1);
        return seat;
    }
    /// Nobody is known to have it.
    constexpr void forget(u64 hash) {
        for (u64& each : set_of(hash))
            if (each != 0 && (each & ~kSeat) == (hash & ~kSeat)) each = 0;
    }

  private:
    static constexpr u64 kSeat = 15;  // seat + 1; 0: empty
    constexpr std::span<u64, kWays> set_of(u64 hash) const {
        return places_.subspan(hash % (places_.size() / kWays) * kWays).template first<kWays>();
    }
    std::span<u64> places_;
    libos::RandomNumbers random_{0};
};

}  // namespace tessera::vmm
