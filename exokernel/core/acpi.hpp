// Which CPUs the machine has, as the firmware's ACPI tables say (ACPI specification 6.5, sections 5.2.5 to 5.2.12): from the
// root pointer that the boot loader copied, through RSDT or XSDT, to the MADT and its local APICs. Read as hostile.
#pragma once

#include <span>

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

/// APIC ids of the CPUs that can be used, in the firmware's order: 8-bit ones, as xAPIC addresses no others.
struct CpuList {
    const char* problem = nullptr;  ///< Why there is no list; the CPU that runs is then the only one known.
    u64 count{};
    u8 apic_id[kMaxCpus]{};
    u64 left_out{};                 ///< Usable CPUs beyond kMaxCpus.
};

/// `rsdp`: the loader's copy, 20 bytes at least. `memory`: all physical memory that may be read, from address 0 on; a table
/// outside it is no table.
/// Cost: linear in the tables' bytes, at most 64 tables of 1 MiB.
CpuList find_cpus(std::span<const u8> rsdp, std::span<const u8> memory);

}  // namespace tessera::kernel
