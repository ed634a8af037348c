// Sleeping until words say so: wake-up predicates as the kernel takes them, and the same looked at without it.
#pragma once

#include <span>

#include "libos/core/call.hpp"

namespace tessera::libos {

inline constexpr u64 kForever = 0;  ///< As a deadline.

/// A clause of one term: wake up when `word` compares like that with `value`.
inline WakeTerm wakes_when(const u64& word, Comparison comparison, u64 value) {
    return {address(word), ~u64{0}, value, comparison, 1};
}
inline WakeTerm changes_from(const u64& word, u64 value) { return wakes_when(word, Comparison::not_equal, value); }
inline WakeTerm becomes_set(const u64& word) { return wakes_when(word, Comparison::not_equal, 0); }

/// Sleep until one of `terms`, each a clause of its own, holds, an event of `events` was noted, or the TSC reaches `deadline`; or an upcall came. The
/// reason is the caller's to find out: look again. Returns the events that were taken.  Errors: bad_argument.
Result<u64> sleep_until_any(std::span<const WakeTerm> terms, u64 deadline, u64 events = 0);

/// The same for words that `peer` is to change (zero: nobody in particular). The peer gets the CPU first, if it can use it
/// here. Returns when it is worth looking again.  Errors: ended (it has; look a last time), asleep (the deadline).
Outcome sleep_for_peer(EnvId peer, std::span<const WakeTerm> terms, u64 deadline, u64 events = 0);

}  // namespace tessera::libos
