// The kernel's few objects, and what it does at its edges.
#pragma once

#include "exokernel/abi/information.hpp"
#include "exokernel/abi/revocation.hpp"
#include "exokernel/core/frames.hpp"

namespace tessera::kernel {

extern FrameTable frames;
/// What is published is published by the page: nothing else of the kernel's may lie in it.
struct alignas(kPageSize) InformationPage : Information {};
extern InformationPage information;
extern EnvironmentInfo environment_infos[kMaxEnvironments];  ///< Published.
extern SlotInfo slot_infos[kMaxCpus * kSlotsPerCpu];         ///< Published.
extern RevocationRequest requests[kMaxEnvironments * kRequests];  ///< Published.
extern Post board[kMaxEnvironments * kPostsPerEnvironment];       ///< Published.

/// Free frames that nobody can reach any more: their bindings are broken, their accounts corrected.
void give_back(FrameRange range);

/// Every environment has ended: check the books, send the final record, leave the machine.
[[noreturn]] void finish();

}  // namespace tessera::kernel
