// Guests in ring 3: everything that would leave it (an exception, an interrupt, `syscall`) is an exit to the monitor.
// While one runs this CPU has another interrupt table and another entry for `syscall`, so that the ways of ordinary
// environments do not ask whether a guest is running.
#pragma once

#include "exokernel/core/context.hpp"
#include "exokernel/core/guest.hpp"

namespace tessera::kernel {

/// On in the guest: `frame`, which was the monitor's, is the guest's.  Errors: bad_argument (rip, a base).
Result<u64> enter_deprivileged(Cpu& cpu, Guest& guest, Context& context, TrapFrame& frame);

}  // namespace tessera::kernel
