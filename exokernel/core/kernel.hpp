// The kernel's few objects, and what it does at its edges.
#pragma once

#include "exokernel/abi/information.hpp"
#include "exokernel/abi/revocation.hpp"
#include "exokernel/core/frames.hpp"
#include "exokernel/core/lock.hpp"

namespace tessera::kernel {

extern FrameTable frames;
extern LeafLock frames_lock;  ///< Which frames are free.
extern EnvironmentInfo environment_infos[kMaxEnvironments];  ///< Published.
extern SlotInfo slot_infos[kMaxCpus * kSlotsPerCpu];         ///< Published.
extern RevocationRequest requests[kMaxEnvironments * kRequests];  ///< Published.
extern Post board[kMaxEnvironments * kPostsPerEnvironment];       ///< Published.

/// Take frames away from whoever has them and free them: every capability is dead, every binding broken, on every CPU, and
/// the accounts corrected. Everything is stopped, or they are the running environment's own and claimed (claim_here).
void give_back(FrameRange range);

/// Every environment has ended: check the books, send the final record, leave the machine.
[[noreturn]] void finish();

}  // namespace tessera::kernel
