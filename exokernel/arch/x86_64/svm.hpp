// Guests in a machine mode of their own: AMD's SVM (APM vol. 2, chapter 15).
//
// What the kernel holds on to, whatever a monitor proposes: physical interrupts, NMI, INIT, shutdown and everything that
// speaks of SVM itself are exits; all ports and all MSRs are, but for those that VMLOAD and VMSAVE carry; so are the
// debug registers, which nobody exchanges, XSETBV and the cache-dropping instructions. Debug, alignment and machine
// checks are, too: the first two can be made to repeat without end before any interrupt is taken. Virtual interrupts
// only (V_INTR_MASKING); the physical flag stays on, so that a slice ends in time.
#pragma once

#include "exokernel/core/context.hpp"
#include "exokernel/core/guest.hpp"
#include "exokernel/core/syscalls.hpp"

namespace tessera::kernel {

/// On this CPU: switch SVM on, where there is any.
void start_svm(Cpu& cpu);
/// Can guests run that way? The first CPU has been asked.
bool has_svm();
/// Can a context of that kind be of use on this machine?
bool supports(ContextKind kind);

/// `guest_run` of a guest of this form, from guest_call (entry.S): an ordinary call, as nobody takes the monitor's place.
extern "C" SysReply svm_call(Guest& guest, u64 place);

}  // namespace tessera::kernel
