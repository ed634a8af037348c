// The guest's tables that are *traced*: frames that a walk went through, write-protected in every root, each with a copy
// of what it held. A binding that was made through them holds as long as the copy is what the walk read.
//
//   in sync       nobody can write the table but through us; copy and table are the same
//   out of sync   somebody wrote, and may go on: the table is writable and what it says counts from the guest's next
//                 flush on, as with a TLB (APM vol. 2, 5.5). Then it is protected again and compared with the copy;
//                 what was bound through entries that changed is dropped, and nothing else
//
// A table knows its *uses*: at which level, from which page on and for which roots it translates. One use is the rule;
// a table that points at itself has one a level.
#pragma once

#include <array>
#include <span>

#include "libos/vmm/shadow/walker.hpp"

namespace tessera::vmm {

struct TableUse {
    u64 roots = 0;  ///< One bit a root; 0: not in use.
    u64 walk = 0;   ///< The walk that came this way last.
    PageNumber first{};
    u32 level = 0;
};

struct TracedTable {
    static constexpr u64 kNoFrame = ~u64{0};
    static constexpr u32 kUses = 4;

    u64 frame = kNoFrame;     ///< The guest frame; kNoFrame: the place is free.
    u64 walk = 0;             ///< The walk that went through it last.
    bool out_of_sync = false;
    bool recent = false;      ///< Walked since the hand passed.
    u8 unwalked = 0;          ///< How often it went out of sync and back without a walk through it.
    std::array<TableUse, kUses> use{};
};

using TableCopy = std::array<u64, kEntries>;

/// Memory for `tables.size()` of them: as many copies.
struct TableMemory {
    std::span<TracedTable> tables;
    std::span<TableCopy> copies;
};
inline constexpr u64 kLeastTables = 2 * kLevels;  ///< A walk goes through four.

/// Which place to give to the next table.
class TablePlaces {
  public:
    explicit TablePlaces(TableMemory memory) : memory_(memory) {}

    TracedTable& operator[](u32 index) { return memory_.tables[index]; }
    TableCopy& copy(u32 index) { return memory_.copies[index]; }
    u32 size() const { return static_cast<u32>(memory_.tables.size()); }

    /// A free place, or that of a table which was not walked since the hand came by last; never one that walk
    /// `now` goes through.
    u32 next(u64 now) {
        for (;; hand_ = (hand_ + 1) % size()) {
            TracedTable& table = memory_.tables[hand_];
            if (table.frame == TracedTable::kNoFrame) return hand_;
            if (table.walk == now) continue;
            if (!table.recent) return hand_;
            table.recent = false;
        }
    }

  private:
    TableMemory memory_;
    u32 hand_ = 0;
};

}  // namespace tessera::vmm
