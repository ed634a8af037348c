// One page bound to one frame: the path that a warm fault takes through the kernel, kept where it can be inlined.
// Everything rarer (ranges, guaranteed mappings, 2 MiB pages) is in context.cpp.
#pragma once

#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/context.hpp"
#include "exokernel/core/kernel.hpp"

namespace tessera::kernel {

/// By far the commonest span, told by one comparison: one ordinary page, readable. Not yet: that a libOS may bind there.
inline bool is_one_page(PageSpan span) {
    constexpr u64 kRead = static_cast<u64>(Right::read);
    constexpr u64 kFixed = u64{0xffff} << 48 | 0xf80 | static_cast<u64>(SpanFlag::supervisor) | static_cast<u64>(SpanFlag::guaranteed) |
                           static_cast<u64>(SpanFlag::large) | kRead;
    return (span.bits & kFixed) == (u64{1} << 48 | kRead);
}

/// What of a word says where it points: it decides on which list an entry is.
inline constexpr u64 kPlaceBits = pte::kFrameMask | pte::kLarge;

/// The entry that will hold `tag`, emptied of what else it held.
StlbEntry& make_place(Context& context, u64 tag, bool guaranteed);
/// Put an entry on another frame's list, if that frame still has the grant that was authorised: it may have changed hands
/// on another CPU since. False: it is on no list now, and translates nothing.
bool relink(Context& context, StlbEntry& entry, u64 word, u64 grant);
/// A frame that may still hold its last owner's bytes gets zeroed before it is seen.
void clean_slowly(FrameNumber frame);

/// Behind a change to one translation of a context that is not shared: nothing stale is left in the TLB.
inline void flush_translation(Context& context, PageNumber page) {
    if (Cpu::here().context == &context) [[likely]]
        flush_page(address_of(page));
    else
        flush_translations(context, page, 1);
}

/// Everything has been checked. Hot in an entry that held the page before. A frame that has changed hands since is not
/// bound: as if it had been bound and taken away at once.
inline void commit_binding(Context& context, u64 tag, u64 word, bool guaranteed, u64 grant) {
    StlbEntry* entry = &context.stlb.home(tag);
    if (guaranteed || (entry->tag & ~kDeadTag) != tag) [[unlikely]] entry = &make_place(context, tag, guaranteed);
    const bool same_place = ((entry->pte ^ word) & kPlaceBits) == 0;
    if (entry->tag == tag) {
        // The same page of the same frame keeps what is known of it: under policy `none` every miss comes here.
        if (same_place) {
            word |= entry->pte & (pte::kAccessed | pte::kDirty);
            if ((word & pte::kDirty) && (word & pte::kWritable)) word |= pte::kHardwareWrite;
        }
        if (entry->pte != word && (*entry->slot != 0 || context.shared)) {
            *entry->slot = 0;  // a translation that is about to change, perhaps to less
            flush_translations(context, page_in(tag), 1);
        }
    }
    entry->tag = tag;
    if (same_place) [[likely]]
        entry->pte = word;
    else if (!relink(context, *entry, word, grant))
        return;
    install(context, *entry);
}

/// `is_one_page(span)` in the libOS's half, and the capability allows it; the frame must carry its grant.  Errors: stale_capability.
inline Result<u64> bind_one(Context& context, FrameNumber frame, PageSpan span, Rights allowed, u64 grant) {
    const FrameInfo& info = frames.info(frame);
    if (info.grant != grant) [[unlikely]] return Error::stale_capability;
    if (info.flags & frame_flag::kDirty) [[unlikely]] clean_slowly(frame);
    commit_binding(context, span.page().value,
                   make_pte(frame, allowed, span.rights(), false, span.has(SpanFlag::dirty)), false, grant);
    return u64{1};
}

/// The hot case of `bind_one`, which has no side effects when it answers false: the entry held this page of this frame
/// before. (So the page is one that a libOS may bind.)
[[gnu::always_inline]] inline bool bind_again(Context& context, FrameNumber frame, PageSpan span, Rights allowed, u64 grant) {
    const u64 page = span.page().value;
    const FrameInfo& info = frames.info(frame);
    if (info.grant != grant || (info.flags & frame_flag::kDirty)) [[unlikely]] return false;
    StlbEntry& entry = context.hot.home(page);
    const u64 word = make_pte(frame, allowed, span.rights(), false, span.has(SpanFlag::dirty));
    if (entry.tag != (page | kDeadTag) || ((entry.pte ^ word) & kPlaceBits) != 0) [[unlikely]] return false;
    if (hardware_tlb_logged || entry.slot == context.stlb.dead_slot) [[unlikely]] return false;
    entry.tag = page;
    entry.pte = word;
    *entry.slot = word;
    return true;
}

}  // namespace tessera::kernel
