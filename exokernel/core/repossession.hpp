// The abort protocol (Engler et al., SOSP 1995, 3.5): what is owed at the deadline is taken. The libOS keeps a reserve that
// it can run and answer with; bytes go where they were seeded to go; its vector says what was taken, and an upcall that
// there is something in it.
//
// It is done where a slot ends, so much at a time, and continued at the next: whoever runs next waits for a bounded time.
//
//   grant numbers renewed -> bindings broken -> bytes saved -> frames free -> vector -> upcall at the target's next slice
//
// Order: nothing can be bound any more when bindings are broken, nobody can write any more when bytes are saved, and
// nobody has the frame any more when somebody else can get it.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

struct Cpu;
struct Environment;

inline constexpr u64 kFramesAStep = 64;       ///< Frames taken at the end of one slot; of contexts and environments one.
inline constexpr u64 kLooksAStep = 16384;     ///< Frames looked at.
inline constexpr u64 kNoSliceFactor = 8;      ///< How often the deadline passes for an environment that no slot runs.

/// A slot of this CPU has ended, or it is idle: take a bounded part of what the oldest overdue request is owed, with
/// everything stopped. Nobody is charged for the time, or has less of it; nobody runs here afterwards if there was something.
void repossess_overdue(Cpu& cpu);
/// Is it the kernel just now that takes units from it?
bool is_being_repossessed(const Environment& env);

}  // namespace tessera::kernel
