#include "exokernel/core/refill.hpp"

#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/core/environment.hpp"

namespace tessera::kernel {
namespace {

/// May the access that faulted go on with this binding, once the hardware knows it? Notes accessed and dirty.
bool admits(const Context& context, StlbEntry& entry, PageFault fault) {
    if (fault.is(AccessKind::reserved)) return false;
    if (fault.is(AccessKind::user) && !(entry.pte & pte::kUser)) return false;
    if (fault.is(AccessKind::write)) {
        if (!(entry.pte & pte::kWritable)) return false;
        // There and writable: the guest's own CR4.SMAP forbids it. (Elsewhere: another CPU was quicker.)
        const bool known = (entry.pte & pte::kHardwareWrite) && *entry.slot == entry.pte;
        if (context.kind == ContextKind::shadow && fault.is(AccessKind::present) && known) return false;
        entry.pte |= pte::kAccessed | pte::kDirty | pte::kHardwareWrite;
        return true;
    }
    if (fault.is(AccessKind::fetch) && (entry.pte & pte::kNoExecute)) return false;
    if (fault.is(AccessKind::present)) return false;  // it was there and readable: nothing that a refill mends
    entry.pte |= pte::kAccessed;
    return true;
}

}  // namespace

Refill refill(Context& context, PageNumber page, PageFault fault) {
    ContextGuard guard(context);
    StlbEntry* entry = page.value < context.pages ? context.stlb.find(page) : nullptr;
    const bool unfilled = switch_policy() == SwitchPolicy::none && !fault.is(AccessKind::present) && !is_guests_own(context.kind);
    if (unfilled && entry != nullptr && entry == &context.stlb.home(entry->tag)) entry = nullptr;
    if (entry == nullptr || !admits(context, *entry, fault)) return Refill::no;
    ++Cpu::here().env->info->hits;
    install(context, *entry);
    return context.shared && entry->slot == context.stlb.dead_slot ? Refill::no_room : Refill::done;
}

}  // namespace tessera::kernel
