// Starting the other CPUs.
#pragma once

#include "exokernel/core/acpi.hpp"

namespace tessera::kernel {

/// Start the CPUs of `list` that are not this one, each on its own block (cpu.hpp), until there are `limit`. Each
/// prepares itself and waits in `entry`, on its own stack. Returns how many run now, this one included.
u64 start_other_cpus(const CpuList& list, u64 limit, u64 tsc_hz, void (*entry)());

}  // namespace tessera::kernel
