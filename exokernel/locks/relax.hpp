// What a lock takes from who uses it: something to do while it waits, and the memory that its words are in.
//
// The same lock serves the kernel, a libOS and a host program, and they wait differently. The kernel must answer
// other CPUs' requests to stop even while it spins, or two CPUs that wait for each other in turn never go on; a
// libOS may give its slice away; a host thread, which may have no core of its own, yields. So every lock and
// every barrier calls Relax::pause() between any two looks at a word that somebody else has to change.
#pragma once

#include <atomic>

#include "exokernel/abi/types.hpp"

namespace tessera::locks {

inline constexpr u64 kCacheLine = 64;

/// `static void pause()`: called while waiting, any number of times, by who does not hold the lock. It may run
/// anything except what takes that same lock.
template <class T>
concept Relaxing = requires { T::pause(); };

/// Only the hint to the CPU (PAUSE, SDM vol. 2), which spares the loop's exit a memory-order violation.
struct CpuPause {
    static void pause() { __builtin_ia32_pause(); }
};

/// The shared words are std::atomic, unless Relax brings a template `Word` with the same operations: a test's
/// memory that counts what each access would cost, or chooses who is next.
template <class Relax, class T>
struct WordOf {
    using Type = std::atomic<T>;
};
template <class Relax, class T>
    requires requires { typename Relax::template Word<T>; }
struct WordOf<Relax, T> {
    using Type = typename Relax::template Word<T>;
};
template <class Relax, class T>
using Word = typename WordOf<Relax, T>::Type;

/// That many pauses.
template <Relaxing Relax>
[[gnu::always_inline]] inline void relax(u64 times) {
    for (; times != 0; --times) Relax::pause();
}

/// Pause until `ready()`.
template <Relaxing Relax, class Ready>
[[gnu::always_inline]] inline void wait_until(Ready ready) {
    while (!ready()) Relax::pause();
}

}  // namespace tessera::locks
