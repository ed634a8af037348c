// The table by which a kernel without ACPI learns of its CPUs. (Intel MultiProcessor Specification 1.4, chapter 4.)
//
// It lists CPUs, an ISA and a PCI bus, and how the 8259s and NMI are wired to the local APICs. There is no I/O APIC.
#pragma once

#include "libos/vmm/guest_memory.hpp"

namespace tessera::vmm {

/// Where it is put: the last kilobyte of base memory, one of the places that kernels search. Not to be called RAM.
inline constexpr u64 kMpTable = 0x9'fc00;

/// Write it for `cpus` CPUs (1 to 8) with APIC IDs 0 to cpus - 1. False: that memory is not there.
bool write_mp_table(GuestMemory& memory, u32 cpus);

}  // namespace tessera::vmm
