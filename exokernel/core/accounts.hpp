// The arithmetic of an environment's accounts (abi/information.hpp), where more than one place needs it to come out the
// same. Pure.
#pragma once

#include "exokernel/abi/information.hpp"

namespace tessera::kernel {

/// How many frames more it may own. Its quota may have been set below what it owns.
constexpr u64 quota_left(const EnvironmentInfo& info) {
    return info.frame_quota > info.frames ? info.frame_quota - info.frames : 0;
}

/// It owns `frames` from `now` on: what it owned until now goes on the bill. Every change of `frames` is made here.
constexpr void set_frames(EnvironmentInfo& info, u64 frames, u64 now) {
    info.frame_ticks += info.frames * (now - info.frames_since);
    info.frames_since = now;
    info.frames = frames;
}

/// A sum that a hostile summand cannot wrap.
constexpr u64 add_saturating(u64 a, u64 b) { return a + b < a ? ~u64{0} : a + b; }

}  // namespace tessera::kernel
