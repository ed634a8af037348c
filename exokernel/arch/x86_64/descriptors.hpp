// GDT, TSS and IDT of a CPU, and the MSRs behind `syscall`.
#pragma once

#include "exokernel/arch/x86_64/cpu.hpp"

namespace tessera::kernel {

/// Load this CPU's descriptor tables, its stacks for NMI, double fault and machine check, and its system-call entry.
void load_descriptors(Cpu& cpu);

/// Which page-fault entry the IDT names; chosen once by the switch policy, before anything runs in ring 3.
enum class PageFaultEntry { plain, logged, unfilled };
void build_interrupt_table(PageFaultEntry page_fault);

/// While a guest runs in ring 3, its traps and system calls go their own ways (guest_entry.S); what must be served
/// whoever runs (NMI, double fault, machine check) goes as ever.
void divert_traps_to_guest();
void restore_traps();

}  // namespace tessera::kernel
