// By guest frame: where it is mapped writable, whether it holds a table, and whether somebody watches it. This is what write protection takes: to
// watch a page, every way of writing it has to be found first.
//
// Bounded by the guest's memory: a record has room for three ways. Most frames have one or two (the kernel's direct map, one
// process); where there are more, it only notes that there are, and they are looked for should it ever matter.
// A way is noted before the binding is made and never taken back when it goes: what is stale costs one needless
// unbinding. When a root is given up its generation goes up, and all its ways are dead without a search.
#pragma once

#include <span>

#include "libos/vmm/shadow/hardware.hpp"

namespace tessera::vmm {


struct FrameRecord {
    static constexpr u32 kWays = 3;
    u64 way[kWays];  ///< 0: none.
    u32 table;       ///< 1 + the index of the table that is traced here; 0: none.
    u16 more;        ///< 1: there may be ways that are not noted.
    u16 watched;     ///< 1: whoever watches it is told before it is written.
};
static_assert(sizeof(FrameRecord) == 32);

class FrameRecords {
  public:
    /// One record a guest frame, all zero.
    explicit FrameRecords(std::span<FrameRecord> records) : records_(records) {}

    u32& table(u64 frame) { return records_[frame].table; }
    u16& watched(u64 frame) { return records_[frame].watched; }
    u64 size() const { return records_.size(); }

    /// `frame` is about to be bound writable at `page` of a root. `generation[root]` is the root's present one.
    void note_way(u64 frame, u32 root, PageNumber page, const u32* generation) {
        FrameRecord& record = records_[frame];
        const u64 way = make(root, generation[root], page);
        u64* free = nullptr;
        for (u64& old : record.way) {
            if (old == way) return;
            if (old == 0 || is_dead(old, generation)) free = &old;
        }
        if (free)
            *free = way;
        else
            record.more = 1;
    }

    /// Take away every way of writing `frame`. Returns whether ways had to be looked for.
    bool protect(u64 frame, const u32* generation, ShadowHardware& hardware) {
        FrameRecord& record = records_[frame];
        for (u64& way : record.way) {
            if (way != 0 && !is_dead(way, generation) && !record.more) hardware.forget(root_in(way), PageNumber{way & kPageBits}, 1);
            way = 0;
        }
        const bool searched = record.more != 0;
        if (searched) hardware.forget_frame(frame);
        record.more = 0;
        return searched;
    }

    /// May it be written somewhere, for all that is known?
    bool has_ways(u64 frame) const {
        const FrameRecord& record = records_[frame];
        return record.more || record.way[0] || record.way[1] || record.way[2];
    }

  private:
    // | 1 | generation (19) | root (8) | page (36) |. A generation that comes round again makes a dead way live: a
    // needless unbinding.
    static constexpr u64 kPageBits = 0xf'ffff'ffff, kGenerationBits = 0x7ffff;
    static constexpr u64 make(u32 root, u32 generation, PageNumber page) {
        return u64{1} << 63 | (generation & kGenerationBits) << 44 | u64{root} << 36 | (page.value & kPageBits);
    }
    static constexpr u32 root_in(u64 way) { return way >> 36 & 0xff; }
    static constexpr bool is_dead(u64 way, const u32* generation) {
        return (way >> 44 & kGenerationBits) != (generation[root_in(way)] & kGenerationBits);
    }

    std::span<FrameRecord> records_;
};

}  // namespace tessera::vmm
