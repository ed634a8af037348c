// Where a page with that hash was seen last. Nobody keeps this up to date: a page that was written since is found out when
// it is compared, one that fell out of the table is entered when it is scanned next.
//
// So it is an array of small sets, and whoever comes later may push another one out: any of the set, by chance, as pages
// are scanned in the same order each time, and those that always met would never be found. Waldspurger's hint entries (OSDI
// 2002, section 4.1) without their chains.
#pragma once

#include <optional>
#include <span>

#include "libos/arbiter/sampling.hpp"

namespace tessera::vmm {

/// A guest's page: who, and which.
struct PageOf {
    u64 guest;  ///< Below kMostGuests.
    u64 guest_frame;
    constexpr bool operator==(const PageOf&) const = default;
};

class Hints {
  public:
    static constexpr u64 kMostGuests = 255;
    static constexpr u64 kMostFrames = u64{1} << 24;  ///< Guest frames: 64 GiB.

    static constexpr u64 kWays = 4;

    constexpr Hints() = default;
    /// `places`: a power of two, at least kWays, zero; the more, the fewer pages push each other out.
    constexpr explicit Hints(std::span<u64> places) : places_(places) {}

    /// Who was noted with this hash, or with one that looks much the same.
    constexpr std::optional<PageOf> find(u64 hash) const {
        for (const u64 word : set_of(hash))
            if ((word & kGuest) != 0 && word >> 32 == hash >> 32) return PageOf{(word & kGuest) - 1, word >> 8 & (kMostFrames - 1)};
        return std::nullopt;
    }
    constexpr void note(u64 hash, PageOf page) {
        const std::span<u64, kWays> set = set_of(hash);
        u64* place = &set[random_.below(kWays)];
        for (u64& each : set)
            if ((each & kGuest) == 0) place = &each;
        for (u64& each : set)
            if ((each & kGuest) != 0 && each >> 32 == hash >> 32) place = &each;
        *place = hash >> 32 << 32 | page.guest_frame << 8 | (page.guest + 1);
    }
    /// Nobody is noted with it any more.
    constexpr void forget(u64 hash) {
        for (u64& each : set_of(hash))
            if (each >> 32 == hash >> 32) each = 0;  // an empty one may be it as well
    }

  private:
    // 63     32 31      8 7     0
    // | hash   | frame   | guest + 1, 0: empty |
    static constexpr u64 kGuest = 0xff;
    constexpr std::span<u64, kWays> set_of(u64 hash) const {
        return places_.subspan(hash % (places_.size() / kWays) * kWays).template first<kWays>();
    }
    std::span<u64> places_;
    libos::RandomNumbers random_{0};
};

}  // namespace tessera::vmm
