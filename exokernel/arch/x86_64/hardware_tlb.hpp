// The hardware side: the tables that the CPU walks, treated as what a MIPS machine had in its TLB. A cache of the
// S-TLB that may be thrown away at any time; how much of it survives a switch, and how much it may hold, are knobs.
#pragma once

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/core/context.hpp"

namespace tessera::kernel {

/// Choose the switch policy and the bound on translations (0: none; policies that wipe hold HardwareTlbLog::kCapacity
/// at most, as they have to remember what they wipe). Returns the policy in force: `keep` stands in
/// for `tagged` where the CPU has no PCID. Before the first environment runs.
SwitchPolicy set_switch_policy(SwitchPolicy wanted, u64 tlb_entries);
SwitchPolicy switch_policy();
/// On another CPU, what set_switch_policy did on the first.
void follow_switch_policy();

/// Prepare the tables of a new context: its pool is empty but for the root.
void initialise_tables(Context& context);
/// No CPU uses this context's tables any more, or remembers their slots.
void forget_tables(Context& context);
/// Throw the context's tables away: every translation is refilled from the S-TLB when it is needed. Nobody else uses them
/// just now.
void drop_tables(Context& context);
/// `cpu`, which is this one or stopped, does not use the context any more.
void leave_context(Cpu& cpu, Context& context);
/// Policy `tagged`: what some CPU still holds under the context's tag may be stale when it is loaded next.
void forget_tag(Context& context);
/// This CPU's TLB, global pages and all tags.
void flush_everything();

/// Put a binding where the hardware finds it. The context is the current one, or keeps its tables when it is not.
/// Hot when the place is known and nobody counts translations: one store.
void install_slowly(Context& context, StlbEntry& entry);
extern bool hardware_tlb_logged;  ///< What the hardware holds is remembered, to be wiped or bounded.
inline void install(Context& context, StlbEntry& entry) {
    if (hardware_tlb_logged || entry.slot == context.stlb.dead_slot) [[unlikely]] return install_slowly(context, entry);
    *entry.slot = entry.pte;
}
/// Take a binding's translation away from the hardware, here and (tagged) at the next switch.
void remove_translation(Context& context, StlbEntry& entry, u64 tag);

/// Switch the address space, doing what the policy says with both. nullptr: the kernel's own. `cpu.env` is already
/// who runs next. With policy `keep` (Cpu::attention without kPolicy) this is no more than the new context and CR3.
void switch_context(Cpu& cpu, Context* next);

/// Behind a change to the translations of `count` pages from `page` on, or with `large` of as many 2 MiB ones: nothing
/// stale is left in the TLB. What other CPUs have of it goes when they are let go on: they are stopped, if there are any.
void flush_translations(Context& context, PageNumber page, u64 count, bool large = false);
/// The same for everything of the context.
void flush_all(Context& context);

}  // namespace tessera::kernel
