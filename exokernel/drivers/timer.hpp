// The one-shot timer of a CPU: the local APIC's (SDM vol. 3, 10.5.4), counted against the TSC. QEMU's TCG has neither
// x2APIC nor TSC-deadline, so: xAPIC through memory. The legacy PIC is masked; the PIT is used once, to learn how
// fast the other two run.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

/// Measure, once, on the first CPU. Returns TSC ticks a second.
u64 calibrate_timers();
/// Switch this CPU's local APIC on, with everything masked but its timer. Returns its APIC id.
u64 start_local_apic();
/// Interrupt this CPU in `ticks` TSC ticks from now (at once if 0), replacing what was set before.
void set_timer(u64 ticks);
/// The interrupt was taken.
void acknowledge_interrupt();

}  // namespace tessera::kernel
