// The software TLB: a context's authorised bindings, in the form that the hardware side is filled from.
//
// Direct-mapped, as Aegis's was (Engler et al., SOSP 1995, 5.4): the binding of page p stands in entry
// p & mask or nowhere, so a libOS can lay out its pages so that what it wants together does not collide.
// Guaranteed mappings stand in a small 4-way table of their own, where nothing evicts them. 2 MiB bindings
// stand in the direct-mapped part too, by large page number, with kLargeTag set.
//
// The hardware's tables are a cache of this one. `slot` remembers where in them a page's entry lies, so
// that a refill is one store. Every entry is also on the list of bindings of its frame (the back-map):
// giving up a frame finds all its translations without a search. Unbinding only marks an entry dead: it stays on
// that list, and keeps its slot, until the entry is used for another page.
//
// Pure: no kernel, no allocation. The kernel passes in the memory. The layout of an entry is ABI, as a libOS may
// bind its own S-TLB readable: exokernel/abi/stlb_entry.hpp.
#pragma once

#include <utility>

#include "exokernel/abi/information.hpp"
#include "exokernel/abi/span.hpp"
#include "exokernel/abi/stlb_entry.hpp"
#include "exokernel/abi/types.hpp"

namespace tessera {

inline constexpr u64 kWays = 4;

static_assert(static_cast<u32>(Right::write) << 8 == pte::kMaxWrite && static_cast<u32>(Right::execute) << 8 == pte::kMaxExecute);
static_assert(static_cast<u32>(Right::write) << 10 == pte::kWritable);

/// The rights that are wanted now, and what is known of the page, in a word that says the rest.
constexpr u64 with_rights(u64 word, Rights wanted, bool dirty) {
    word &= ~(pte::kWritable | pte::kHardwareWrite | pte::kNoExecute);
    if (!wanted.has(Right::execute)) word |= pte::kNoExecute;
    if (wanted.has(Right::write)) {
        word |= pte::kWritable;
        if (dirty) word |= pte::kAccessed | pte::kDirty;
        if (word & pte::kDirty) word |= pte::kHardwareWrite;
    }
    return word;
}

/// The word for a binding: what the capability allows, and what is wanted of that. `dirty`: a write is under way.
constexpr u64 make_pte(FrameNumber frame, Rights allowed, Rights wanted, bool large, bool dirty) {
    const u64 most = u64{allowed.restricted_to(Right::write | Right::execute).bits} << 8;
    u64 word = address_of(frame).value | most | pte::kPresent | pte::kUser | (large ? pte::kLarge : 0);
    if (!wanted.has(Right::execute)) word |= pte::kNoExecute;
    if (wanted.has(Right::write))
        word |= dirty ? pte::kWritable | pte::kAccessed | pte::kDirty | pte::kHardwareWrite : pte::kWritable;
    return word;
}

/// May a binding with this word be given these rights?
constexpr bool authorised(u64 word, Rights wanted) {
    const u64 needed = u64{wanted.restricted_to(Right::write | Right::execute).bits} << 8;
    return (needed & ~word) == 0;
}

/// The lists of bindings by frame. Entries are named by their distance from `base` in units of 32 bytes.
class BackMap {
  public:
    BackMap(std::byte* base, FrameInfo* frames) : base_(base), frames_(frames) {}

    StlbEntry* entry(u32 name) const { return reinterpret_cast<StlbEntry*>(base_ + u64{name} * sizeof(StlbEntry)); }
    u32 name(const StlbEntry* entry) const {
        return static_cast<u32>(static_cast<u64>(reinterpret_cast<const std::byte*>(entry) - base_) / sizeof(StlbEntry));
    }
    u32& head(u64 pte) const {
        FrameInfo& info = frames_[frame_in(pte).value];
        return pte & pte::kLarge ? info.large_bindings : info.bindings;
    }

    void link(StlbEntry& entry, u64 pte) const {
        u32& first = head(pte);
        entry.pte = pte;
        entry.next = first;
        entry.prev = 0;
        const u32 own = name(&entry);
        if (first != 0) this->entry(first)->prev = own;
        first = own;
    }
    void unlink(StlbEntry& entry) const {
        if (entry.pte == 0) return;
        if (entry.prev != 0)
            this->entry(entry.prev)->next = entry.next;
        else
            head(entry.pte) = entry.next;
        if (entry.next != 0) this->entry(entry.next)->prev = entry.prev;
        entry.pte = 0;
        entry.next = entry.prev = 0;
    }

  private:
    std::byte* base_;
    FrameInfo* frames_;
};

/// One context's S-TLB over memory that somebody else provides. The fields are read by the trap code.
struct Stlb {
    StlbEntry* entries;     ///< mask + 1 of them.
    u64 mask;
    StlbEntry* guaranteed;  ///< (set_mask + 1) sets of kWays.
    u64 set_mask;
    u64* dead_slot;         ///< Where stores for pages without a hardware entry go.
    u64 large;              ///< How many 2 MiB bindings there may be among the entries.

    void reset(u64* dead) {
        dead_slot = dead;
        large = 0;
        for (u64 i = 0; i <= mask; ++i) entries[i] = StlbEntry{kNoTag, 0, dead, 0, 0};
        for (u64 i = 0; i < (set_mask + 1) * kWays; ++i) guaranteed[i] = StlbEntry{kNoTag, 0, dead, 0, 0};
    }

    StlbEntry& home(u64 tag) const { return entries[tag & mask]; }

    StlbEntry* find_guaranteed(u64 tag) const {
        StlbEntry* set = guaranteed + (tag & set_mask) * kWays;
        for (u64 way = 0; way < kWays; ++way)
            if (set[way].tag == tag) return &set[way];
        return nullptr;
    }
    StlbEntry* find_tag(u64 tag) const {
        StlbEntry& entry = home(tag);
        return entry.tag == tag ? &entry : find_guaranteed(tag);
    }
    /// The binding of a page, of either size; nullptr: none.
    StlbEntry* find(PageNumber page) const {
        StlbEntry* entry = find_tag(tag_of(page, false));
        if (entry == nullptr && large != 0) entry = find_tag(tag_of(page, true));
        return entry;
    }

    /// Where a new binding for `tag` goes. nullptr: its set of guaranteed mappings is full.
    StlbEntry* place(u64 tag, bool want_guaranteed) const {
        if (StlbEntry* kept = find_guaranteed(tag)) return kept;
        if (!want_guaranteed) return &home(tag);
        StlbEntry* set = guaranteed + (tag & set_mask) * kWays;
        for (u64 way = 0; way < kWays; ++way)
            if (!is_live(set[way].tag)) return &set[way];
        return nullptr;
    }
};

/// How many entries for_each_binding takes at once: less to count in between.
inline constexpr u64 kStride = 8;
template <std::size_t... distance>
[[gnu::always_inline]] inline bool in_a_row(const StlbEntry* entry, u64 tag, std::index_sequence<distance...>) {
    return ((entry[distance].tag == tag + distance) && ...);
}

/// Call `each_home` or `each_guaranteed` for the bindings of `count` units from `tag` on, by where they stand, passing
/// over pages without one. Returns how many there were.
/// Hot: neighbouring pages are neighbouring entries, so this is the loop behind protect and unbind.
template <class EachHome, class EachGuaranteed>
[[gnu::always_inline]] inline u64 for_each_binding(const Stlb& stlb, u64 tag, u64 count, EachHome&& each_home,
                                                   EachGuaranteed&& each_guaranteed) {
    u64 missing = 0;
    const auto one = [&](StlbEntry& entry, u64 wanted) [[gnu::noinline]] {
        if (entry.tag == wanted) {
            each_home(entry);
        } else if (StlbEntry* kept = stlb.find_guaranteed(wanted)) {
            each_guaranteed(*kept);
        } else {
            ++missing;
        }
    };
    for (const u64 end = tag + count; tag != end;) {
        StlbEntry* entry = &stlb.home(tag);
        const u64 to_wrap = stlb.mask + 1 - (tag & stlb.mask);
        const u64 run = end - tag < to_wrap ? end - tag : to_wrap;
        StlbEntry* const stop = entry + run;
        for (u64 i = run % kStride; i != 0; --i) one(*entry++, tag++);
        for (; entry != stop; entry += kStride, tag += kStride) {
            if (in_a_row(entry, tag, std::make_index_sequence<kStride>{})) [[likely]] {
#pragma GCC unroll 8
                for (u64 i = 0; i < kStride; ++i) each_home(entry[i]);
            } else {
                for (u64 i = 0; i < kStride; ++i) one(entry[i], tag + i);
            }
        }
    }
    return count - missing;
}
template <class Each>
[[gnu::always_inline]] inline u64 for_each_binding(const Stlb& stlb, u64 tag, u64 count, Each&& each) {
    return for_each_binding(stlb, tag, count, each, each);
}

}  // namespace tessera
