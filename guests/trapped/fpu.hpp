// The registers of the FPU and SSE, exchanged when they are touched (CR0.TS; SDM vol. 3, 13.4): what kernels do that switch often
// and compute seldom. Nothing else in this kernel computes, so only its test of itself switches them.
#pragma once

namespace small::trapped {

/// Exception 7: they were touched while CR0.TS was set.
void on_fpu_touched();

bool fpu_is_switched_lazily();
bool wait_heeds_the_monitor_bit();

}  // namespace small::trapped
