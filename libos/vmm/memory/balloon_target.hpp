// How large each guest's balloon is to be. Pure: numbers in, numbers out.
//
// What is missing is asked of the guests by how much each has, as none knows what the others do with theirs; never so much
// that a guest keeps less than a part of its memory. What was asked and has not come yet is not asked again.
#pragma once

#include <algorithm>
#include <span>

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

struct Balloon {
    u64 frames;  ///< The guest's memory.
    u64 own;     ///< Frames of its own that it has now: what there is to give.
    u64 actual;  ///< In the balloon, by the guest's own word.
    u64 target;  ///< What it was asked for.
    u64 absent;  ///< Frames that it never touched: there is nothing behind them.

    /// Asked for and not given yet.
    constexpr u64 coming() const { return target > actual ? std::min(target - actual, own) : 0; }
    /// `kept`: percent of its memory that a guest is left with.
    constexpr u64 most(u64 kept) const { return frames - frames * std::min(kept, u64{100}) / 100; }
};

/// Raise targets so that `missing` frames come in all, those included that are coming already. Returns how many more
/// were asked for: fewer where the guests have no more to give.
constexpr u64 inflate(std::span<Balloon> balloons, u64 missing, u64 kept) {
    u64 coming = 0, own = 0;
    for (const Balloon& each : balloons) {
        coming += each.coming();
        own += each.own;
    }
    if (coming >= missing || own == 0) return 0;
    const u64 more = missing - coming;
    u64 asked = 0;
    for (Balloon& each : balloons) {
        // Rounded up: what is asked for too much is less than there are guests.
        const u64 part = (more * each.own + own - 1) / own;
        const u64 most = each.most(kept), base = std::min(std::max(each.target, each.actual), most);
        const u64 step = std::min({part, most - base, more - std::min(more, asked)});
        each.target = base + step;
        asked += step;
    }
    return asked;
}

/// There are no more frames to be had: raise targets so that no guest goes on believing in memory that was never behind its
/// addresses. It gives what it does not use, which costs nobody anything.
constexpr void withdraw(std::span<Balloon> balloons, u64 kept) {
    for (Balloon& each : balloons) each.target = std::max(each.target, std::min(each.actual + each.absent, each.most(kept)));
}

/// Lower targets by `frames` in all, by how much each has given. Returns by how many they were.
constexpr u64 deflate(std::span<Balloon> balloons, u64 frames) {
    u64 all = 0, lowered = 0;
    for (const Balloon& each : balloons) all += each.target;
    if (all == 0) return 0;
    for (Balloon& each : balloons) {
        const u64 step = std::min({each.target, (frames * each.target + all - 1) / all, frames - std::min(frames, lowered)});
        each.target -= step;
        lowered += step;
    }
    return lowered;
}

}  // namespace tessera::vmm
