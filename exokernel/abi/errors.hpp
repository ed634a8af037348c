// What a system call answers when it does not do what was asked. Nothing has changed then.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera {

enum class Error : u64 {
    ok = 0,
    bad_argument,      ///< A scalar that no state of the machine could make right.
    bad_address,       ///< A pointer outside what a libOS may bind, misaligned, or wrapping.
    not_mapped,        ///< A pointer to a page without the needed binding; the value is the address. Bind it, call again.
    bad_capability,    ///< Not canonical, or the tag is wrong: a forgery.
    stale_capability,  ///< Genuine once; the grant behind it is gone.
    denied,            ///< Genuine, but without the right, the range or the presenter that this needs.
    out_of_range,      ///< Names a unit that does not exist or lies outside the capability.
    quota,             ///< The caller's own limit.
    exhausted,         ///< The machine has no more of it.
    conflict,          ///< The unit asked for by name is taken.
    in_use,            ///< Cannot be given back while the kernel needs it (a save area).
    not_found,         ///< No such environment or context (any more).
    unknown_call,      ///< In a batch: a number that is no call, or one that a batch may not hold.
    busy,              ///< The callee does not wait for calls just now (it serves one, or it is in this very chain of calls).
    ended,             ///< The callee ended, or withdrew the entry point, before it answered.
    elsewhere,         ///< It lives on another CPU: its slices cannot be given to it here.
    asleep,            ///< It waits for something that has not come.
    interrupted,       ///< An upcall came while it waited; wait again.
    unsupported,       ///< This machine's CPU cannot do that.
};

inline constexpr const char* kErrorNames[] = {
    "ok",           "bad_argument", "bad_address", "not_mapped", "bad_capability", "stale_capability", "denied",
    "out_of_range", "quota",        "exhausted",   "conflict",   "in_use",         "not_found",        "unknown_call",
    "busy",         "ended",        "elsewhere",   "asleep",     "interrupted", "unsupported",
};
inline constexpr u64 kErrorCount = sizeof kErrorNames / sizeof kErrorNames[0];

constexpr const char* name_of(Error error) {
    return static_cast<u64>(error) < kErrorCount ? kErrorNames[static_cast<u64>(error)] : "?";
}

}  // namespace tessera
