// Where a virtual CPU begins: what a loader or a start-up interrupt says, as proposals to the kernel.
#pragma once

#include "exokernel/abi/guest.hpp"
#include "libos/vmm/boot/start.hpp"

namespace tessera::vmm {

/// All registers; what the monitor wants to hear of stays as it is.
void start(GuestState& state, const StartState& from);

}  // namespace tessera::vmm
