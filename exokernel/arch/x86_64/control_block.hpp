// What stands in a guest's control block (abi/control_block.hpp): what the kernel insists on, and what a monitor proposed.
#pragma once

#include "exokernel/core/guest.hpp"

namespace tessera::kernel {

/// What a guest may do without an exit: no port, and of the MSRs only those that VMLOAD and VMSAVE carry. Once, at boot.
void fill_permission_maps();

/// The control block of a new guest.
void initialise_control_block(Guest& guest);
/// The CPU refused the state. QEMU's TCG 7.2 leaves the host's own in the block then, which a monitor can read: nothing of it
/// stays, and everything is proposed again.
void forget_refused(Guest& guest);

/// The parts of the state page that `changed` names. What was taken before one was refused stays: the guest runs with none
/// of it until all of it is good.  Errors: bad_argument, with the offset of what is refused.
Result<u64> take_proposals(Guest& guest, u64 changed);
/// May the guest run with a shadow page table, as its registers are?  Errors: as above.
Result<u64> check_shadowed(const Guest& guest);
/// What the monitor wants to hear of, with what the kernel must.
void write_intercepts(Guest& guest, bool shadow, bool window);

/// EVENTINJ as it may stand in the control block: a known type, no bits besides.
constexpr bool is_event(u64 event) {
    const GuestEventType type{event >> 8 & 7};
    const u64 vector = event & 0xff;
    if (!(event & GuestEvent::kValid) || (event & 0x7fff'f000) != 0) return false;
    if (!(event & GuestEvent::kHasError) && event >> 32 != 0) return false;
    return type == GuestEvent::interrupt || type == GuestEvent::nmi || type == GuestEvent::software ||
           (type == GuestEvent::exception && vector < 32 && vector != 2);
}

}  // namespace tessera::kernel
