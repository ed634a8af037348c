// Who has to give memory back, and how it is asked: the published scheme of shares with a tax on idle memory
// (Waldspurger, OSDI 2002, sections 5 and 6.3). Pure: numbers in, numbers out; libos/examples/arbiter.cpp acts on them.
//
// A client's shares per page, adjusted: rho = S / (P * (f + k * (1 - f))), where f is the part of its P pages that it
// uses and k = 1 / (1 - tax) is what an idle page costs. The pages come from whoever has the lowest rho. Multiplied by
// (1 - tax), which all have in common, that is S / (P - tax * used): a page in use costs 1 - tax, an idle one 1. So
// no division is left, and a tax of 1 is no special case.
#pragma once

#include <algorithm>
#include <span>

#include "exokernel/abi/types.hpp"

namespace tessera::libos {

/// Fractions (a tax, a part in use) are given in parts of this.
inline constexpr u64 kWhole = 1024;

/// What the published figures were made with.
inline constexpr u64 kDefaultTax = kWhole * 3 / 4;

/// What a client holds, and what entitles it to that.
struct Claim {
    u64 shares;  ///< 0: its pages are the first to go. Below 2^20.
    u64 frames;  ///< Below 2^32.
    u64 used;    ///< Of those, as far as is known.
    u64 floor;   ///< It is not asked to go below this.
};

/// What it pays: P - tax * used, in parts of kWhole.
constexpr u64 charge(const Claim& claim, u64 tax) {
    return claim.frames * kWhole - std::min(tax, kWhole) * std::min(claim.used, claim.frames);
}

/// Has `a` less right to its next page than `b`: is its rho lower?
constexpr bool yields_before(const Claim& a, const Claim& b, u64 tax) {
    return charge(a, tax) * b.shares > charge(b, tax) * a.shares;
}

/// Min-funding revocation: take `need` frames, `grain` at a time, each time from whoever has the lowest rho then and
/// is above its floor. What it uses it goes on using: the idle ones go first. `take[i]` gets what client i has to give.
/// Returns how many frames come together, `need` unless all are at their floors.  Cost: clients * need / grain.
constexpr u64 choose_victims(std::span<Claim> claims, u64 tax, u64 need, u64 grain, std::span<u64> take) {
    std::ranges::fill(take, 0);
    u64 found = 0;
    while (found < need) {
        u64 victim = claims.size();
        for (u64 i = 0; i < claims.size(); ++i) {
            if (claims[i].frames <= claims[i].floor) continue;
            if (victim == claims.size() || yields_before(claims[i], claims[victim], tax)) victim = i;
        }
        if (victim == claims.size()) break;
        Claim& claim = claims[victim];
        const u64 count = std::min({std::max(grain, u64{1}), need - found, claim.frames - claim.floor});
        claim.frames -= count;
        take[victim] += count;
        found += count;
    }
    return found;
}

/// How large a part of its memory a client uses, from samples. Three averages, and the largest of them counts: a client
/// that begins to use its memory is seen at once, one that stops loses it slowly. The slow and the fast one move at
/// the end of a sampling period; the current one is the fast one with what this period has shown so far.
class ActivityEstimate {
  public:
    static constexpr u64 kSlowWeight = 8, kFastWeight = 2;  ///< A new period counts one part in so many.

    /// So far `touched` of `sampled` frames were used in this period.
    constexpr void look(u64 touched, u64 sampled) { current_ = towards(fast_, part(touched, sampled), kFastWeight); }

    /// The period is over.
    constexpr void end_period(u64 touched, u64 sampled) {
        const u64 now = part(touched, sampled);
        slow_ = periods_ == 0 ? now : towards(slow_, now, kSlowWeight);
        fast_ = periods_ == 0 ? now : towards(fast_, now, kFastWeight);
        current_ = fast_;
        ++periods_;
    }

    /// In parts of kWhole. Before the first period has ended, all of it: nobody is taxed for what is not known.
    constexpr u64 value() const { return periods_ == 0 ? kWhole : std::max({slow_, fast_, current_}); }

  private:
    static constexpr u64 part(u64 touched, u64 sampled) { return sampled == 0 ? 0 : std::min(touched, sampled) * kWhole / sampled; }
    // Rounded towards the new value, so that it is reached.
    static constexpr u64 towards(u64 from, u64 to, u64 weight) {
        return to >= from ? from + (to - from + weight - 1) / weight : from - (from - to + weight - 1) / weight;
    }

    u64 slow_ = 0, fast_ = 0, current_ = 0;
    u64 periods_ = 0;
};

/// How short of memory the machine is, and so how hard it is reclaimed.
enum class ReclaimState : u64 {
    high,  ///< Enough: nothing is done.
    soft,  ///< Clients are asked, and have a long time to answer.
    hard,  ///< They are asked, and have a short time.
    low,   ///< The same, and nobody gets more than it has.
};
inline constexpr u64 kReclaimStates = 4;
inline constexpr const char* kReclaimNames[kReclaimStates] = {"high", "soft", "hard", "low"};
inline constexpr u64 kFreePercent[kReclaimStates] = {6, 4, 2, 1};

/// How many frames make `state` of `usable` ones.
constexpr u64 frames_of(ReclaimState state, u64 usable) { return usable * kFreePercent[static_cast<u64>(state)] / 100; }

/// The state that follows. A lower one is entered when fewer frames are free than make it; it is left upwards only when
/// those of the state above are free: so that a state does not flicker, and 6 % are free before reclaiming ends.
constexpr ReclaimState next_state(ReclaimState now, u64 free, u64 usable) {
    u64 state = static_cast<u64>(now);
    while (state + 1 < kReclaimStates && free < frames_of(ReclaimState{state + 1}, usable)) ++state;
    while (state > 0 && free >= frames_of(ReclaimState{state - 1}, usable)) --state;
    return ReclaimState{state};
}

/// How many more frames have to become free until nothing needs to be done.
constexpr u64 frames_short(ReclaimState state, u64 free, u64 usable) {
    const u64 enough = frames_of(ReclaimState::high, usable);
    return state == ReclaimState::high || free >= enough ? 0 : enough - free;
}

}  // namespace tessera::libos
