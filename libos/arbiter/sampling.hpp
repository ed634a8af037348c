// Which frames to look at, and in which order slots go round. Pure, as policy.hpp.
#pragma once

#include <array>
#include <span>

#include "exokernel/abi/types.hpp"

namespace tessera::libos {

/// Random numbers that are the same in every run (Knuth's MMIX generator; the low bits are poor and not used).
class RandomNumbers {
  public:
    explicit constexpr RandomNumbers(u64 seed) : state_(seed) {}
    /// Below `limit`, which is below 2^31 and not 0.
    constexpr u64 below(u64 limit) {
        state_ = state_ * 6364136223846793005 + 1442695040888963407;
        return (state_ >> 33) * limit >> 31;
    }

  private:
    u64 state_;
};

/// kSize frames out of a stream of unknown length, each subset as likely as any other (Vitter 1985, algorithm R):
/// one pass over the frame table chooses for every client at once.
class SampledFrames {
  public:
    static constexpr u64 kSize = 64;

    constexpr void offer(FrameNumber frame, RandomNumbers& random) {
        const u64 place = seen_ < kSize ? seen_ : random.below(seen_ + 1);
        if (place < kSize) frames_[place] = frame;
        ++seen_;
    }
    constexpr u64 count() const { return seen_ < kSize ? seen_ : kSize; }
    constexpr FrameNumber operator[](u64 i) const { return frames_[i]; }

    /// Frame `i` was found touched. It counts once a period, however often it is.
    constexpr void touch(u64 i) { touched_ |= u64{1} << i; }
    constexpr bool was_touched(u64 i) const { return touched_ >> i & 1; }
    constexpr u64 touched() const { return static_cast<u64>(__builtin_popcountll(touched_)); }

  private:
    std::array<FrameNumber, kSize> frames_{};
    u64 seen_ = 0;
    u64 touched_ = 0;
};
static_assert(SampledFrames::kSize <= 64);

/// Deal slots to clients in proportion to their shares, evenly spread (stride scheduling: Waldspurger and Weihl, 1995):
/// whoever has had the least for its shares is next, the first of equals. `order[i]` gets the client of slot i.
/// False: nobody has a share.  Of any two clients, had_a / shares_a <= (had_b + 1) / shares_b: neither is a slot ahead.
constexpr bool deal_slots(std::span<const u64> shares, std::span<u64> order) {
    constexpr u64 kMost = kMaxEnvironments;
    if (shares.size() > kMost) return false;
    std::array<u64, kMost> had{};
    for (u64& slot : order) {
        u64 next = kMost;
        // (had + 1) / shares is when its next slot is due; the earliest is next, compared without a division.
        for (u64 i = 0; i < shares.size(); ++i)
            if (shares[i] != 0 && (next == kMost || (had[i] + 1) * shares[next] < (had[next] + 1) * shares[i])) next = i;
        if (next == kMost) return false;
        ++had[next];
        slot = next;
    }
    return true;
}

}  // namespace tessera::libos
