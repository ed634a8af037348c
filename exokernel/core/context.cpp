#include "exokernel/core/context.hpp"

#include <new>

#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/back_map.hpp"
#include "exokernel/core/binding.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/panic.hpp"
#include "exokernel/core/revocation.hpp"
#include "exokernel/core/trace.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {
namespace {

Context* contexts[kMaxContexts];  // changed by who is Exclusive
u64 generations[kMaxContexts];
constexpr u64 kMaxGeneration = 0xff'ffff;  // an id has 32 bits

/// The lists of bindings, by frame.
constexpr u64 kListLocks = 64;
LeafLock list_locks[kListLocks];
/// The first frames of 2 MiB blocks, which head lists of their own, must not all meet at one lock.
LeafLock& list_lock(FrameNumber frame) { return list_locks[(frame.value ^ frame.value / kPagesPerLarge) % kListLocks]; }

/// What the paths without locks find in a context that several CPUs may load: nothing.
StlbEntry nothing[kWays] = {{kNoTag, 0, nullptr, 0, 0}, {kNoTag, 0, nullptr, 0, 0}, {kNoTag, 0, nullptr, 0, 0}, {kNoTag, 0, nullptr, 0, 0}};

void show_hot(Context& context) {
    context.hot = context.stlb;
    if (!context.shared) return;
    context.hot.entries = context.hot.guaranteed = nothing;
    context.hot.mask = context.hot.set_mask = 0;
    context.hot.large = 1;  // perhaps a 2 MiB binding: page faults go to C++
}

/// Off the list of the frame that it was bound to last. Other CPUs have entries on that list, too.
void leave_list(StlbEntry& entry) {
    if (entry.pte == 0) return;
    Guard guard(list_lock(frame_in(entry.pte)));
    back_map().unlink(entry);
}

u64 guaranteed_index(const Context& context, const StlbEntry& entry) {
    return static_cast<u64>(&entry - context.stlb.guaranteed);
}
bool is_guaranteed(const Context& context, const StlbEntry& entry) {
    return guaranteed_index(context, entry) < (context.stlb.set_mask + 1) * kWays;
}

/// An entry loses its binding; the caller has dealt with the hardware. It stays on its frame's list, dead.
void forget_entry(Context& context, StlbEntry& entry) {
    if (is_guaranteed(context, entry)) [[unlikely]] {
        const u64 index = guaranteed_index(context, entry);
        for (u64 i = 0; i < context.guaranteed_count; ++i)
            if (context.preload[i] == index) {
                context.preload[i] = context.preload[--context.guaranteed_count];
                break;
            }
    }
    entry.tag = kNoTag;
}

/// Drop a binding with its translation.
void drop_entry(Context& context, StlbEntry& entry) {
    remove_translation(context, entry, entry.tag);
    forget_entry(context, entry);
}

constexpr u64 kTagsPerPage(bool large) { return large ? kPagesPerLarge : 1; }

/// Are the span's pages where its owner may bind, and no more than a call may take? (48 bits: nothing here can wrap.)
bool bindable(const Context& context, PageSpan span) {
    const u64 pages = span.count() * kTagsPerPage(span.has(SpanFlag::large));
    if (span.has(SpanFlag::supervisor) && context.kind != ContextKind::shadow) return false;
    return span.canonical() && pages - 1 < PageSpan::kMaxPages && span.page().value + pages <= context.pages;
}

}  // namespace

StlbEntry& make_place(Context& context, u64 tag, bool guaranteed) {
    Stlb& stlb = context.stlb;
    StlbEntry& home = stlb.home(tag);
    StlbEntry& entry = *stlb.place(tag, guaranteed);
    if (&entry != &home && (home.tag & ~kDeadTag) == tag) {  // one binding a page
        if (is_live(home.tag)) drop_entry(context, home);
        home.tag = kNoTag;
    }
    if (entry.tag == tag) return entry;
    if (is_live(entry.tag)) drop_entry(context, entry);
    leave_list(entry);
    entry.slot = stlb.dead_slot;
    entry.tag = tag | kDeadTag;
    if (&entry != &home)
        context.preload[context.guaranteed_count++] = static_cast<u16>(guaranteed_index(context, entry));
    return entry;
}

bool relink(Context& context, StlbEntry& entry, u64 word, u64 grant) {
    const BackMap map = back_map();
    leave_list(entry);
    {
        const FrameNumber frame = frame_in(word);
        Guard guard(list_lock(frame));
        bool granted = frames.info(frame).grant == grant;
        if ((word & pte::kLarge) && cpu_count() != 1)
            for (u64 i = 1; i < kPagesPerLarge; ++i) granted &= frames.info(frame + i).grant == grant;
        if (granted) [[likely]] {
            map.link(entry, word);
            if (Environment* env = Cpu::here().env) ++env->info->bindings;  // nobody runs while images are loaded
            return true;
        }
    }
    entry.slot = context.stlb.dead_slot;
    forget_entry(context, entry);
    return false;
}

bool only_here(const Context& context) {
    const u64 here = Cpu::here().index;
    return context.residents != 0 && context.residents == context.residents_on[here];
}

bool stays_here(const Context& context) { return context.residents_on[Cpu::here().index] != 0; }

void commit_residents(Context& context, Cpu& cpu, int change) {
    context.residents += static_cast<u64>(static_cast<i64>(change));
    context.residents_on[cpu.index] = static_cast<u16>(context.residents_on[cpu.index] + change);
    u64 cpus = 0;
    for (const u16 residents : context.residents_on) cpus += residents != 0;
    context.shared = cpus > 1;
    show_hot(context);
    forget_tag(context);
    if (context.residents_on[cpu.index] == 0) leave_context(cpu, context);
}

namespace {

/// Does every entry on a list belong to a context that only this CPU may load? Its lock is held.
bool all_only_here(u32 head) {
    const BackMap map = back_map();
    for (u32 name = head; name != 0; name = map.entry(name)->next)
        if (!only_here(context_of(*map.entry(name)))) return false;
    return true;
}

bool block_only_here(FrameNumber block) {
    Guard guard(list_lock(block));
    return all_only_here(frames.info(block).large_bindings);
}

}  // namespace

bool bound_only_here(FrameRange range) {
    if (cpu_count() == 1) return true;
    for (u64 i = 0; i < range.count; ++i) {
        const FrameNumber frame = range.first + i;
        {
            Guard guard(list_lock(frame));
            if (!all_only_here(frames.info(frame).bindings)) return false;
        }
        if ((i == 0 || frame == block_of(frame)) && !block_only_here(block_of(frame))) return false;
    }
    return true;
}

bool claim_here(FrameRange range, u64 grant) {
    if (cpu_count() == 1) return true;
    u64 claimed = 0;
    const auto claim = [&] {
        for (; claimed < range.count; ++claimed) {
            const FrameNumber frame = range.first + claimed;
            FrameInfo& info = frames.info(frame);
            // Order: the new number and the look at the list are one step for who would join it (relink).
            Guard guard(list_lock(frame));
            if (info.grant != grant || !all_only_here(info.bindings)) return false;
            __atomic_store_n(&info.grant, frames.fresh_grant(), __ATOMIC_SEQ_CST);
        }
        for (u64 i = 0; i < range.count; ++i)
            if (const FrameNumber frame = range.first + i; i == 0 || frame == block_of(frame))
                if (!block_only_here(block_of(frame))) return false;
        return true;
    };
    if (claim()) return true;
    for (u64 i = 0; i < claimed; ++i) __atomic_store_n(&frames.info(range.first + i).grant, grant, __ATOMIC_SEQ_CST);
    return false;
}

u8* reach_slowly(Context& context, VirtAddr address, bool write) {
    ContextGuard guard(context);
    StlbEntry* entry = context.stlb.find(page_of(address));
    if (entry == nullptr || (write && !(entry->pte & pte::kWritable))) return nullptr;
    if (write) entry->pte |= pte::kAccessed | pte::kDirty;
    const u64 size = is_large(entry->tag) ? kPagesPerLarge << kPageShift : kPageSize;
    return at(PhysAddr{(entry->pte & pte::kFrameMask) + (address.value & (size - 1))});
}

void clean_slowly(FrameNumber frame) {
    Guard guard(list_lock(frame));  // or another CPU could bind it half cleaned
    if (!(frames.info(frame).flags & frame_flag::kDirty)) return;
    zero_words(at(address_of(frame)), kPageSize / 8);
    frames.info(frame).flags &= static_cast<u8>(~frame_flag::kDirty);
}

Context* context_at(u64 index) { return contexts[index]; }

bool canonical(const ContextSpec& spec) {
    const auto power_of_two = [](u64 n) { return (n & (n - 1)) == 0; };
    return spec.stlb >= 128 && spec.stlb <= 65536 && power_of_two(spec.stlb) && spec.guaranteed >= 16 &&
           spec.guaranteed <= 1024 && power_of_two(spec.guaranteed) && spec.tables >= 16 && spec.tables <= 512 &&
           spec.kind <= ContextKind::nested;
}

Result<u64> check_context_slot() {
    // An index whose generations are used up is never used again: an id must not come to name another.
    for (u64 i = 1; i < kMaxContexts; ++i)
        if (contexts[i] == nullptr && generations[i] < kMaxGeneration) return i;
    return Error::exhausted;
}

FrameRange stlb_frames(const Context& context) {
    return FrameRange{context.memory.first + 1, (context.stlb.mask + 1) / 128};
}

Context& commit_context(u64 index, const ContextPlan& plan) {
    const ContextSpec& spec = plan.spec;
    shoot_down(plan.memory);
    on_charged(plan.memory);
    frames.commit_recast(plan.memory, FrameState::charged, 0, static_cast<u16>(index + 1));
    FrameNumber next = plan.memory.first;
    Context& context = *new (at<Context>(address_of(next))) Context{};
    context.id = ContextId::make(index, ++generations[index]);
    context.grant = frames.fresh_grant();
    context.memory = plan.memory;
    next = next + 1;
    context.stlb.entries = at<StlbEntry>(address_of(next));
    context.stlb.mask = spec.stlb - 1;
    next = next + spec.stlb / 128;
    context.stlb.guaranteed = at<StlbEntry>(address_of(next));
    context.stlb.set_mask = spec.guaranteed / kWays - 1;
    next = next + (spec.guaranteed + 127) / 128;
    context.stlb.reset(&context.dead);
    show_hot(context);
    context.tables = address_of(next);
    context.table_count = spec.tables;
    context.kind = spec.kind;
    context.pages = is_guests_own(spec.kind) ? kGuestPages : kUserPages;
    initialise_tables(context);
    contexts[index] = &context;
    trace(Event::context_created, context.id.value, spec.stlb);
    return context;
}

void destroy_context(Context& context) {
    ASSERT(context.residents == 0);
    for (u64 i = 0; i < cpu_count(); ++i) leave_context(cpu_at(i), context);
    forget_tables(context);
    const BackMap map = back_map();
    for (u64 i = 0; i <= context.stlb.mask; ++i) map.unlink(context.stlb.entries[i]);
    for (u64 i = 0; i < (context.stlb.set_mask + 1) * kWays; ++i) map.unlink(context.stlb.guaranteed[i]);
    contexts[context.id.index()] = nullptr;
    trace(Event::context_destroyed, context.id.value);
    give_back(context.memory);
}

namespace {

/// Into a context that another CPU may be using just now. A page that nobody can have a translation of is added under the
/// context's lock; everything else changes with the other CPUs stopped.
Result<u64> bind_shared(Context& context, FrameNumber first, PageSpan span, Rights allowed, u64 grant) {
    if (is_one_page(span) && span.page().value < context.pages) {
        ContextGuard guard(context);
        const u64 tag = span.page().value;
        const bool fresh = !is_live(context.stlb.home(tag).tag) && context.stlb.find_guaranteed(tag) == nullptr;
        if (fresh) return bind_one(context, first, span, allowed, grant);
    }
    Exclusive exclusive;
    return check_and_bind(context, first, span, allowed, grant);
}

}  // namespace

Result<u64> check_and_bind(Context& context, FrameNumber first, PageSpan span, Rights allowed, u64 grant) {
    if (context.shared && Cpu::here().exclusive == 0) [[unlikely]] return bind_shared(context, first, span, allowed, grant);
    if (is_one_page(span) && span.page().value < context.pages) return bind_one(context, first, span, allowed, grant);
    const bool large = span.has(SpanFlag::large);
    const u64 step = kTagsPerPage(large), units = span.count();
    const bool guaranteed = span.has(SpanFlag::guaranteed);
    if (!bindable(context, span) || !span.rights().has(Right::read)) return Error::bad_argument;
    if (large && (first.value | span.page().value) % kPagesPerLarge != 0) return Error::bad_argument;
    for (u64 i = 0; i < units * step; ++i)
        if (frames.info(first + i).grant != grant) return Error::stale_capability;
    const u64 tag = tag_of(span.page(), large);
    if (guaranteed) {  // room in the sets: count what this call itself will take
        Stlb& stlb = context.stlb;
        for (u64 i = 0; i < units && i <= stlb.set_mask; ++i) {
            u64 needed = 0, room = 0;
            for (u64 t = tag + i; t < tag + units; t += stlb.set_mask + 1) needed += stlb.find_guaranteed(t) == nullptr;
            for (u64 way = 0; way < kWays; ++way)
                room += !is_live(stlb.guaranteed[((tag + i) & stlb.set_mask) * kWays + way].tag);
            if (needed > room) return Error::conflict;
        }
    }
    if (large) context.stlb.large = context.hot.large = 1;

    u64 word = make_pte(first, allowed, span.rights(), large, span.has(SpanFlag::dirty));
    if (span.has(SpanFlag::supervisor)) word &= ~pte::kUser;
    for (u64 i = 0; i < units; ++i, word += step << kPageShift) {
        for (u64 j = 0; j < step; ++j) {
            const FrameNumber frame = first + (i * step + j);
            if (frames.info(frame).flags & frame_flag::kDirty) clean_slowly(frame);
        }
        commit_binding(context, tag + i, word, guaranteed, grant);
    }
    return units;
}

Result<u64> unbind(Context& context, PageSpan span) {
    if (!bindable(context, span)) return Error::bad_argument;
    const auto drop = [](StlbEntry& entry) {
        *entry.slot = 0;
        entry.tag |= kDeadTag;
    };
    const auto drop_guaranteed = [&](StlbEntry& entry) {
        *entry.slot = 0;
        forget_entry(context, entry);
    };
    const u64 tag = tag_of(span.page(), span.has(SpanFlag::large));
    const u64 dropped = for_each_binding(context.stlb, tag, span.count(), drop, drop_guaranteed);
    if (dropped != 0) flush_translations(context, span.page(), span.count(), span.has(SpanFlag::large));
    return dropped;
}

Result<u64> protect(Context& context, PageSpan span) {
    if (!bindable(context, span) || !span.rights().has(Right::read)) return Error::bad_argument;
    const u64 tag = tag_of(span.page(), span.has(SpanFlag::large));
    const Stlb& stlb = context.stlb;
    const auto change = [span](StlbEntry& entry) {
        entry.pte = with_rights(entry.pte, span.rights(), span.has(SpanFlag::dirty));
        if (*entry.slot != 0) *entry.slot = entry.pte;
    };
    u64 changed;
    if (span.rights() == Rights{Right::read}) {
        // Hot: taking rights away cannot fail, so there is nothing to check first.
        changed = for_each_binding(stlb, tag, span.count(), [&](StlbEntry& entry) {
            constexpr u64 kKept = ~(pte::kWritable | pte::kHardwareWrite);
            if (!(entry.pte & pte::kNoExecute)) [[unlikely]] return change(entry);
            // Atomic, and so one instruction each: what is known of the page may be noted meanwhile.
            __atomic_fetch_and(&entry.pte, kKept, __ATOMIC_RELAXED);
            __atomic_fetch_and(entry.slot, kKept, __ATOMIC_RELAXED);
        });
    } else {
        bool denied = false;
        for_each_binding(stlb, tag, span.count(),
                         [&](StlbEntry& entry) { denied |= !authorised(entry.pte, span.rights()); });
        if (denied) return Error::denied;
        changed = for_each_binding(stlb, tag, span.count(), change);
    }
    if (changed != 0) flush_translations(context, span.page(), span.count(), span.has(SpanFlag::large));
    return changed;
}

Result<u64> clear_bits(Context& context, PageSpan span, u64 which) {
    if (!bindable(context, span)) return Error::bad_argument;
    const u64 bits = (which & 1 ? pte::kAccessed : 0) | (which & 2 ? pte::kDirty | pte::kHardwareWrite : 0);
    u64 cleared = 0;
    for_each_binding(context.stlb, tag_of(span.page(), span.has(SpanFlag::large)), span.count(), [&](StlbEntry& entry) {
        if ((entry.pte & bits & (pte::kAccessed | pte::kDirty)) == 0) return;
        entry.pte &= ~bits;
        *entry.slot = 0;  // the next touch refills it and sets the bits again
        ++cleared;
    });
    if (cleared != 0) flush_translations(context, span.page(), span.count(), span.has(SpanFlag::large));
    return cleared;
}

void shoot_down(FrameRange range) {
    Exclusive exclusive(!bound_only_here(range));
    const BackMap map = back_map();
    const auto drop_list = [&](u32& head) {
        while (head != 0) {
            StlbEntry& entry = *map.entry(head);
            if (is_live(entry.tag)) {
                Context& context = context_of(entry);
                trace(Event::shot_down, entry.tag, context.id.value);
                drop_entry(context, entry);
            }
            map.unlink(entry);
        }
    };
    for (u64 i = 0; i < range.count; ++i) {
        const FrameNumber frame = range.first + i, block = block_of(frame);
        drop_list(frames.info(frame).bindings);
        if (i == 0 || frame == block) drop_list(frames.info(block).large_bindings);
    }
}

}  // namespace tessera::kernel
