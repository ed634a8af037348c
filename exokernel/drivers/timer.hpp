// The local APIC of a CPU: its one-shot timer (SDM vol. 3, 10.5.4), counted against the TSC, and interrupts to other CPUs. QEMU's TCG has neither
// x2APIC nor TSC-deadline, so: xAPIC through memory. The legacy PIC is masked; the PIT is used once, to learn how
// fast the other two run.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

struct TimerSpeed {
    u64 tsc_hz;
    const char* problem;  ///< nullptr, or why this machine's timers cannot be used.
};

/// Measure, once, on the first CPU (exokernel/drivers/calibration.hpp).
TimerSpeed calibrate_timers();
/// Switch this CPU's local APIC on, with everything masked but its timer. Returns its APIC id.
u64 start_local_apic();
/// Interrupt this CPU in `ticks` TSC ticks from now (at once if 0), replacing what was set before.
void set_timer(u64 ticks);
/// The interrupt was taken.
void acknowledge_interrupt();

/// Interrupt another CPU.
void send_interrupt(u64 apic_id, u64 vector);
/// Let a CPU begin in real mode at the first byte of `page`, below 1 MiB (SDM vol. 3, 8.4.4.1). `tsc_hz` for the waits
/// in between, 10.4 ms in all.
void start_cpu(u64 apic_id, FrameNumber page, u64 tsc_hz);

}  // namespace tessera::kernel
