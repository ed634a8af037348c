// Where in the address space to put things, and memory that never faults.
#pragma once

#include "exokernel/abi/span.hpp"
#include "libos/core/call.hpp"

namespace tessera::libos {

/// `count` pages of addresses that nobody else was given, starting at a multiple of `alignment` pages. Only
/// addresses: bind something there. From behind the image on, in order, so that in the direct-mapped S-TLB
/// what is reserved together does not displace itself. Companions (companion.hpp) may do so at the same time.
PageNumber reserve_pages(u64 count, u64 alignment = 1);

/// `count` from `next` on, at a multiple of `alignment`, a power of two; what follows them is the next.
inline u64 take_in_order(u64& next, u64 count, u64 alignment) {
    u64 seen = __atomic_load_n(&next, __ATOMIC_RELAXED), first;
    do first = (seen + alignment - 1) & ~(alignment - 1);
    while (!__atomic_compare_exchange_n(&next, &seen, first + count, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return first;
}

/// Frames bound as guaranteed mappings at reserved pages: zero, and never a fault. `capability` gets the frames'
/// and must stay.  Errors: of frame_alloc and bind; conflict: no room among the guaranteed mappings.
Result<PageNumber> map_guaranteed(u64 count, Capability& capability);

/// Bind the image's ordinary pages as guaranteed mappings too: then nothing of the program ever faults.
/// Errors: conflict: no room among the guaranteed mappings.
Outcome pin_image();

/// This environment's S-TLB, bound readable, guaranteed (kStlbEntriesPerFrame entries a page).
Result<PageNumber> map_stlb();
inline constexpr u64 kStlbEntriesPerFrame = 128;

}  // namespace tessera::libos
