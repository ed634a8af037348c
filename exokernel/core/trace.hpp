// A ring of the last events of a CPU: written always for what is rare, and in the checked kernel (TESSERA_TRACE) for
// every hop of the hot paths too. A panic prints it; the checked kernel sends it as a record at the end.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

enum class Event : u64 {
    none,
    // Hops of the hot paths, numbered as in entry.S. Checked kernel only.
    page_fault,
    refill,
    upcall,
    syscall,
    syscall_exit,
    exception,
    // Rare events.
    env_created,
    env_ended,
    switched,
    slice_end,
    forced_switch,
    context_created,
    context_destroyed,
    tables_dropped,
    shot_down,
    fpu_switched,
    revoked,
    repossessed,
    count_,
};

void trace(Event event, u64 a = 0, u64 b = 0);
/// The ring, oldest first, on the log.
void log_trace();
/// The ring as a record.
void record_trace();

#ifdef TESSERA_TRACE
inline constexpr bool kTraceHops = true;
#else
inline constexpr bool kTraceHops = false;
#endif

}  // namespace tessera::kernel
