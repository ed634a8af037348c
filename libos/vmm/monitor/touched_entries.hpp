// Which parts of an S-TLB may hold something: then looking through it costs what was bound there, not what there is room for.
//
// A part is noted before anything is bound in it, and forgotten when a look finds nothing there. It is no count: entries come
// and go without being told of, as when one displaces another.
#pragma once

#include <array>
#include <bit>

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

class TouchedEntries {
  public:
    static constexpr u64 kParts = 1024;

    /// `entries`: how many the table has, a power of two.
    void open(u64 entries) {
        entries_ = entries;
        part_ = entries > kParts ? entries / kParts : 1;
        parts_ = {};
    }
    /// The entries of `count` pages from `page` on are about to be written.
    void note(u64 page, u64 count) {
        for (const u64 end = page + count; page < end; page += part_ - page % part_) {
            const u64 part = page % entries_ / part_;
            parts_[part / 64] |= u64{1} << part % 64;
        }
    }
    /// Call `look(index)` for every entry that may hold something; it answers whether it does. True: some do.
    template <class Look>
    bool for_each(Look look) {
        bool some = false;
        for (u64 word = 0; word < parts_.size(); ++word)
            for (u64 left = parts_[word]; left != 0; left &= left - 1) some |= look_at(word * 64 + static_cast<u64>(std::countr_zero(left)), look);
        return some;
    }
    /// The same for those in which `count` pages from `page` on stand, and some beside them.
    template <class Look>
    void for_pages(u64 page, u64 count, Look look) {
        if (count >= entries_) return static_cast<void>(for_each(look));
        for (const u64 end = page + count; page < end; page += part_ - page % part_) {
            const u64 part = page % entries_ / part_;
            if (parts_[part / 64] >> part % 64 & 1) look_at(part, look);
        }
    }

  private:
    template <class Look>
    bool look_at(u64 part, Look& look) {
        bool any = false;
        for (u64 i = part * part_; i < (part + 1) * part_; ++i) any |= look(i);
        if (!any) parts_[part / 64] &= ~(u64{1} << part % 64);
        return any;
    }

    std::array<u64, kParts / 64> parts_{};
    u64 entries_ = 1, part_ = 1;
};

}  // namespace tessera::vmm
