// One entry of the S-TLB, as a libOS sees it that binds its own S-TLB readable (BootInfo::stlb, ContextGrant::stlb):
// which page is bound here, to which frame, with which rights, and was it used or written.
//
// Direct-mapped: the binding of page p stands in entry p modulo the S-TLB's size, or, when it is a guaranteed
// mapping, in a table of the kernel's own, or nowhere. A page that is not here may have been displaced by another:
// nothing is known of it then. How the kernel works with these entries: stlb/stlb.hpp.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera {

/// What the hardware is given for a page (SDM vol. 3, 4.5), with three bits of ours among those that it ignores.
namespace pte {
inline constexpr u64 kPresent = 1 << 0;
inline constexpr u64 kHardwareWrite = 1 << 1;  ///< Set only together with kDirty: the first write traps, as on MIPS.
inline constexpr u64 kUser = 1 << 2;
inline constexpr u64 kAccessed = 1 << 5;
inline constexpr u64 kDirty = 1 << 6;
inline constexpr u64 kLarge = 1 << 7;
inline constexpr u64 kMaxWrite = 1 << 9;     ///< Authorised for writing,
inline constexpr u64 kMaxExecute = 1 << 10;  ///< for executing, when it was bound.
inline constexpr u64 kWritable = 1 << 11;    ///< The libOS wants it writable now.
inline constexpr u64 kNoExecute = u64{1} << 63;
inline constexpr u64 kFrameMask = 0x000f'ffff'ffff'f000;
}  // namespace pte

struct StlbEntry {
    u64 tag;    ///< Page number (kLargeTag | large page number); with kDeadTag: the page that was bound here last.
    u64 pte;    ///< Goes to the hardware as it stands. Not 0 <=> linked on the list of its frame.
    u64* slot;  ///< The kernel's: the hardware's entry for the page, or the dead slot.
    u32 next;   ///< The kernel's back-map: next and previous entry of the same frame; 0: none.
    u32 prev;
};
static_assert(sizeof(StlbEntry) == 32);

inline constexpr u64 kNoTag = ~u64{0};         ///< Nothing was bound here, or it is forgotten.
inline constexpr u64 kLargeTag = u64{1} << 62;
inline constexpr u64 kDeadTag = u64{1} << 61;  ///< Unbound: `slot` is still the page's, should it be bound again.

constexpr u64 tag_of(PageNumber page, bool large) {
    return large ? kLargeTag | (page.value / kPagesPerLarge) : page.value;
}
constexpr bool is_live(u64 tag) { return !(tag & kDeadTag); }
constexpr bool is_large(u64 tag) { return tag & kLargeTag; }
constexpr FrameNumber frame_in(u64 pte) { return FrameNumber{(pte & pte::kFrameMask) >> kPageShift}; }
constexpr PageNumber page_in(u64 tag) {
    return is_large(tag) ? PageNumber{(tag & ~kLargeTag) * kPagesPerLarge} : PageNumber{tag};
}

}  // namespace tessera
