// A number for a page's contents: pages that are equal have the same one; pages that have the same one may be equal.
//
// A hint and nothing else: whoever acts on it compares all bytes first. So it need not withstand anybody; the seed, which a
// monitor draws when it starts, only keeps a guest from preparing pages that fall together.
#pragma once

#include <bit>

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

inline constexpr u64 kPageWords = kPageSize / sizeof(u64);

/// Of kPageWords words. Every step can be undone, so no two pages that differ in one word have the same.
/// Cost: 4 instructions a word.
constexpr u64 hash_of(const u64* page, u64 seed) {
    constexpr u64 kFactor = 0x9e37'79b9'7f4a'7c15;  // odd: 2^64 over the golden ratio
    u64 hash = seed;
    for (u64 i = 0; i < kPageWords; ++i) hash = std::rotl((hash ^ page[i]) * kFactor, 23);
    return hash;
}

/// Is there nothing but zeros?  Cost: up to the first that is not.
constexpr bool is_zero(const u64* page) {
    for (u64 i = 0; i < kPageWords; ++i)
        if (page[i] != 0) return false;
    return true;
}

}  // namespace tessera::vmm
