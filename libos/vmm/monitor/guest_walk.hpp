// From a guest's linear address to its physical one, by the guest's own tables, as the CPU would (APM vol. 2, chapter 5).
//
// For looking only: no rights are checked and no accessed bit is set. What the tables say is hostile: a walk ends after
// its levels whatever they hold, and an address beyond the memory is nothing.
#pragma once

#include <optional>

#include "libos/vmm/guest_memory.hpp"

namespace tessera::vmm {

struct PagingRegisters {
    u64 cr0, cr3, cr4, efer;
};

/// Nothing: no translation.
std::optional<u64> walk(GuestMemory& memory, PagingRegisters registers, u64 linear);

}  // namespace tessera::vmm
