// What this CPU protects with and draws random numbers from: asked by CPUID, switched on, absence logged.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

/// SMEP, SMAP, UMIP, FSGSBASE, global pages, write protection: on where the CPU has them.
void enable_features();

/// 64 random bits of the CPU's own. False: it has neither RDSEED nor RDRAND, or they are out of order.
bool random_word(u64& word);

/// The CPU's brand string, for records.
struct CpuName {
    char text[49];
};
CpuName cpu_name();

}  // namespace tessera::kernel
