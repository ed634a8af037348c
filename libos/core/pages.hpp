// Where in the address space to put things, and memory that never faults.
#pragma once

#include "exokernel/abi/span.hpp"
#include "libos/core/call.hpp"

namespace tessera::libos {

/// `count` pages of addresses that nobody else was given, starting at a multiple of `alignment` pages. Only
/// addresses: bind something there. From behind the image on, in order, so that in the direct-mapped S-TLB
/// what is reserved together does not displace itself.
PageNumber reserve_pages(u64 count, u64 alignment = 1);

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
