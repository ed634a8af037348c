#include "exokernel/arch/x86_64/hardware_tlb.hpp"

#include "exokernel/arch/x86_64/descriptors.hpp"
#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/core/panic.hpp"
#include "exokernel/core/trace.hpp"

namespace tessera::kernel {

bool hardware_tlb_logged;

namespace {

SwitchPolicy policy = SwitchPolicy::keep;
bool wipes;
HardwareTlbLog::Item log_items[kMaxCpus][HardwareTlbLog::kCapacity];

constexpr u64 kKeepTranslations = u64{1} << 63;  // in CR3, with PCID: do not flush (SDM vol. 3, 4.10.4.1)
constexpr u64 kUserEntries = kUserPages >> 27;  // of a root table: what a libOS can bind
constexpr u64 kTableFlags = pte::kPresent | pte::kHardwareWrite | pte::kUser;

void empty_log(HardwareTlbLog& log) { log.next = log.oldest = log.first; }

/// The logs that can name slots of this context: this CPU's, or, of a context that is or was on others too, everybody's;
/// then the others are stopped.
template <class Each>
void for_each_log(Each&& each) {
    Cpu& here = Cpu::here();
    if (here.exclusive == 0) return each(here.log);
    for (u64 i = 0; i < kMaxCpus; ++i) each(cpu_at(i).log);
}

/// Others that have the context loaded, and are parked, flush before they go on.
void flush_elsewhere(const Context& context) {
    for (u64 i = 0; i < cpu_count(); ++i)
        if (Cpu& cpu = cpu_at(i); &cpu != &Cpu::here() && cpu.context == &context) cpu.flush = true;
}

/// A fresh table of the pool, or 0 when there is none left.
u64 take_table(Context& context) {
    if (context.tables_used == context.table_count) return 0;
    const u64 address = context.tables.value + context.tables_used++ * kPageSize;
    zero_words(at(PhysAddr{address}), kPageSize / 8);
    return address;
}

/// What a log remembers leaves the hardware. Where a 2 MiB page was, another CPU may have put a table: that stays.
void empty_slot(const HardwareTlbLog::Item& item) {
    if (!is_large(item.tag)) {
        *item.slot = 0;
        return;
    }
    u64 word = __atomic_load_n(item.slot, __ATOMIC_RELAXED);
    while ((word & pte::kLarge) && !__atomic_compare_exchange_n(item.slot, &word, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
}

/// A table comes where the translation of the 2 MiB page around `tag` once was: that page's entry, live or dead, may not
/// take the place for its own any more.
void forget_large_slot(Context& context, u64 tag, const u64* slot) {
    Stlb& stlb = context.stlb;
    const u64 large_tag = tag_of(page_in(tag), true);
    for (StlbEntry* entry : {&stlb.home(large_tag), stlb.find_guaranteed(large_tag)})
        if (entry != nullptr && entry->slot == slot) entry->slot = stlb.dead_slot;
}

/// Where the hardware looks for `tag`. nullptr: the pool is used up, or a page of the other size is in the way.
u64* walk(Context& context, u64 tag) {
    const u64 address = address_of(page_in(tag)).value;
    u64* table = at<u64>(context.tables);
    const int leaf_level = is_large(tag) ? 1 : 0;
    for (int level = 3; level > leaf_level; --level) {
        u64& entry = table[address >> (kPageShift + 9 * static_cast<u64>(level)) & 511];
        if (!(entry & pte::kPresent)) {
            const u64 fresh = take_table(context);
            if (fresh == 0) return nullptr;
            if (level == 1 && context.stlb.large != 0) forget_large_slot(context, tag, &entry);
            entry = fresh | kTableFlags;
        } else if (entry & pte::kLarge) {
            return nullptr;
        }
        table = at<u64>(PhysAddr{entry & pte::kFrameMask});
    }
    u64* slot = &table[address >> (kPageShift + 9 * static_cast<u64>(leaf_level)) & 511];
    const bool a_table_is_there = is_large(tag) && (*slot & pte::kPresent) && !(*slot & pte::kLarge);
    return a_table_is_there ? nullptr : slot;
}

/// A translation that the hardware is about to be given. With the bound reached the oldest makes room.
void remember(Cpu& cpu, u64* slot, u64 tag) {
    HardwareTlbLog& log = cpu.log;
    if (log.next != log.limit) {
        *log.next++ = {slot, tag};
        return;
    }
    HardwareTlbLog::Item& victim = *log.oldest;
    empty_slot(victim);
    flush_page(address_of(page_in(victim.tag)));
    victim = {slot, tag};
    log.oldest = log.oldest + 1 == log.limit ? log.first : log.oldest + 1;
}

void wipe(Cpu& cpu) {
    HardwareTlbLog& log = cpu.log;
    for (HardwareTlbLog::Item* item = log.first; item != log.next; ++item) empty_slot(*item);
    empty_log(log);
}

/// Put a context's guaranteed mappings in before its first instruction. Tables that have no room for one leave it
/// to be refilled when it is touched.
void preload(Cpu& cpu, Context& context) {
    ContextGuard guard(context);  // another CPU may be filling the same tables
    for (u64 i = 0; i < context.guaranteed_count; ++i) {
        StlbEntry& entry = context.stlb.guaranteed[context.preload[i]];
        if (entry.slot == context.stlb.dead_slot) {
            u64* slot = walk(context, entry.tag);
            if (slot == nullptr) continue;
            entry.slot = slot;
        }
        remember(cpu, entry.slot, entry.tag);
        *entry.slot = entry.pte;
        ++cpu.env->info->preloads;
    }
}

}  // namespace

void drop_tables(Context& context) {
    forget_tables(context);
    Stlb& stlb = context.stlb;
    for (u64 i = 0; i <= stlb.mask; ++i) stlb.entries[i].slot = stlb.dead_slot;
    for (u64 i = 0; i < (stlb.set_mask + 1) * kWays; ++i) stlb.guaranteed[i].slot = stlb.dead_slot;
    // The root may be the one in use: its upper half, which is the kernel's, stays as it is all the time.
    zero_words(at(context.tables), is_guests_own(context.kind) ? kPageSize / 8 : kUserEntries);
    context.tables_used = 1;
    flush_all(context);
    trace(Event::tables_dropped, context.id.value);
}

SwitchPolicy set_switch_policy(SwitchPolicy wanted, u64 tlb_entries) {
    policy = wanted;
    if (wanted == SwitchPolicy::tagged) {
        if (cpuid(1).ecx & 1 << 17) {
            write_cr4(read_cr4() | cr4::kPcid);
        } else {
            log("policy tagged: this CPU has no PCID; keep stands in for it");
            policy = SwitchPolicy::keep;
        }
    }
    const bool bounded = tlb_entries != 0;
    const u64 bound = bounded && tlb_entries < HardwareTlbLog::kCapacity ? tlb_entries : HardwareTlbLog::kCapacity;
    wipes = policy == SwitchPolicy::none || policy == SwitchPolicy::refill || policy == SwitchPolicy::preload;
    hardware_tlb_logged = wipes || bounded;
    for (u64 i = 0; i < kMaxCpus; ++i) {
        HardwareTlbLog& log = cpu_at(i).log;
        log.first = log_items[i];
        log.limit = log.first + bound;
        empty_log(log);
        if (policy != SwitchPolicy::keep) cpu_at(i).attention |= Cpu::kPolicy;
    }
    build_interrupt_table(policy == SwitchPolicy::none ? PageFaultEntry::unfilled
                          : hardware_tlb_logged        ? PageFaultEntry::logged
                                                       : PageFaultEntry::plain);
    return policy;
}

SwitchPolicy switch_policy() { return policy; }

void follow_switch_policy() {
    if (policy == SwitchPolicy::tagged) write_cr4(read_cr4() | cr4::kPcid);
}

void initialise_tables(Context& context) {
    context.tables_used = 0;
    u64* root = at<u64>(PhysAddr{take_table(context)});
    context.root = context.tables.value;
    if (is_guests_own(context.kind)) return;  // nothing of the kernel's is there for a guest to reach
    share_kernel_half(root, context.kind == ContextKind::libos);
    if (policy == SwitchPolicy::tagged) context.root |= context.id.index() + 1;  // flushed at first: another may have had it
}

void forget_tables(Context& context) {
    const u64 begin = reinterpret_cast<u64>(at(context.tables));
    const u64 end = begin + context.table_count * kPageSize;
    for_each_log([begin, end](HardwareTlbLog& log) {
        HardwareTlbLog::Item* kept = log.first;
        for (HardwareTlbLog::Item* item = log.first; item != log.next; ++item)
            if (reinterpret_cast<u64>(item->slot) < begin || reinterpret_cast<u64>(item->slot) >= end) *kept++ = *item;
        log.next = kept;
        log.oldest = log.first;  // no longer quite in order, once gaps are closed
    });
}

void forget_tag(Context& context) { context.root &= ~kKeepTranslations; }

namespace {
Context* left_context;  // the errand's subject; who sends it is Exclusive

void leave_on(Cpu& cpu) {
    if (cpu.context == left_context) switch_context(cpu, nullptr);
    if (policy == SwitchPolicy::tagged) flush_everything();
}
}  // namespace

void leave_context(Cpu& cpu, Context& context) {
    left_context = &context;
    if (&cpu == &Cpu::here())
        leave_on(cpu);
    else
        send_errand(cpu, leave_on);
    forget_tables(context);
}

void flush_everything() {
    if (const u64 cr4 = read_cr4(); cr4 & cr4::kPge) {  // SDM vol. 3, 4.10.4.1: all tags, and global pages too
        write_cr4(cr4 & ~cr4::kPge);
        write_cr4(cr4);
    } else {
        write_cr3(read_cr3());
    }
}

void install_slowly(Context& context, StlbEntry& entry) {
    Cpu& cpu = Cpu::here();
    // What a guest's own machine mode walks is no part of what the switch policies are about.
    const bool logged = hardware_tlb_logged && !is_guests_own(context.kind);
    // It comes when it is touched. What this CPU remembered of tables that another one throws away would be wrong.
    if (logged && cpu.context != &context) return;
    if (entry.slot == context.stlb.dead_slot) {
        u64* slot = walk(context, entry.tag);
        if (slot == nullptr) {
            if (context.shared && cpu.exclusive == 0) return;  // only with the others stopped: on_page_fault
            drop_tables(context);
            slot = walk(context, entry.tag);
            if (slot == nullptr) return;  // the pool cannot hold even one path: the minimum in ContextSpec excludes it
        }
        entry.slot = slot;
    }
    if (logged && *entry.slot == 0) remember(cpu, entry.slot, entry.tag);
    *entry.slot = entry.pte;
}

void remove_translation(Context& context, StlbEntry& entry, u64 tag) {
    *entry.slot = 0;
    entry.slot = context.stlb.dead_slot;
    flush_translations(context, page_in(tag), 1);
}

void flush_translations(Context& context, PageNumber page, u64 count, bool large) {
    if (context.shared || Cpu::here().context != &context) flush_elsewhere(context);
    if (Cpu::here().context != &context) {
        context.root &= ~kKeepTranslations;  // tagged: flushed when it is switched to
        ++context.changes;
        return;
    }
    if (count > 24) {
        flush_all(context);
        return;
    }
    for (u64 i = 0; i < count; ++i) flush_page(address_of(page + i * (large ? kPagesPerLarge : 1)));
}

void flush_all(Context& context) {
    if (context.shared || Cpu::here().context != &context) flush_elsewhere(context);
    if (Cpu::here().context == &context)
        write_cr3(context.root & ~kKeepTranslations);
    else
        context.root &= ~kKeepTranslations, ++context.changes;
}

void switch_context(Cpu& cpu, Context* next) {
    if (wipes && cpu.context != nullptr) {
        wipe(cpu);
        if (cpu.env != nullptr) ++cpu.env->info->wipes;
    }
    cpu.context = next;
    write_cr3(next != nullptr ? next->root : kernel_root().value);
    if (next == nullptr) return;
    if (policy == SwitchPolicy::tagged && !next->shared) next->root |= kKeepTranslations;
    if (policy == SwitchPolicy::preload) preload(cpu, *next);
}

}  // namespace tessera::kernel
