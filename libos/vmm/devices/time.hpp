// Time as the devices know it: nanoseconds since the guest was made, handed in by whoever runs the guest.
//
// Devices have no clock. Time stands still between two calls of advance(), so that a run can be repeated exactly.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

inline constexpr u64 kNever = ~u64{0};
inline constexpr u64 kNanosecondsPerSecond = 1'000'000'000;

/// How often something that happens `per_second` times has happened by `now`. Exact: whole seconds are taken apart, as
/// a product of the whole would not fit. per_second: at most 2^33.
constexpr u64 ticks_at(u64 now, u64 per_second) {
    return now / kNanosecondsPerSecond * per_second + now % kNanosecondsPerSecond * per_second / kNanosecondsPerSecond;
}

/// The first nanosecond at which ticks_at() is `ticks`.
constexpr u64 time_of(u64 ticks, u64 per_second) {
    const u64 rest = ticks % per_second * kNanosecondsPerSecond;
    const u64 seconds = ticks / per_second;
    if (seconds >= kNever / kNanosecondsPerSecond) return kNever;
    return seconds * kNanosecondsPerSecond + (rest + per_second - 1) / per_second;
}

}  // namespace tessera::vmm
