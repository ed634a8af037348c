// A page table as a hash table: one slot for each page that has an entry, wherever in the address space.
// Good for sparse ranges, and its size follows the frames, not the addresses (an inverted page table).
//
// Open addressing with linear probing; an erased slot is filled by moving later ones up (Knuth 6.4,
// algorithm R), so there are no tombstones and a miss ends at the first empty slot.
#pragma once

#include <bit>
#include <span>

#include "libos/paging/entry.hpp"

namespace tessera::libos {

class InvertedTable {
  public:
    struct Slot {
        u64 page;  ///< Page number; means something only where `entry` is not 0.
        Entry entry;
    };

    /// `slots`: a power of two of them, at least 2, that outlive the table. Seven in eight can be in use.
    explicit InvertedTable(std::span<Slot> slots)
        : slots_(slots.data()), mask_(slots.size() - 1), shift_(64 - static_cast<u64>(std::countr_zero(slots.size()))) {
        for (Slot& slot : slots) slot = {};
    }

    /// Cost: about 10 instructions where there is no collision.
    Entry find(PageNumber page) const { return slots_[slot_of(page)].entry; }

    bool insert(PageNumber page, Entry entry) {
        if (page.value >= kUserPages || entry.word == 0) return false;
        Slot& slot = slots_[slot_of(page)];
        if (slot.entry.word == 0) {
            if (size_ >= limit()) return false;
            ++size_;
        }
        slot = {page.value, entry};
        return true;
    }

    bool erase(PageNumber page) {
        u64 hole = slot_of(page);
        if (slots_[hole].entry.word == 0) return false;
        slots_[hole].entry.word = 0;
        // Move up whatever would not be found any more because of the hole.
        for (u64 i = (hole + 1) & mask_; slots_[i].entry.word != 0; i = (i + 1) & mask_) {
            const u64 from_home = (i - home(slots_[i].page)) & mask_;
            if (from_home >= ((i - hole) & mask_)) {
                slots_[hole] = slots_[i];
                slots_[i].entry.word = 0;
                hole = i;
            }
        }
        --size_;
        return true;
    }

    u64 size() const { return size_; }
    u64 limit() const { return (mask_ + 1) - (mask_ + 8) / 8; }

  private:
    /// Fibonacci hashing (Knuth 6.4): neighbours spread out.
    u64 home(u64 page) const { return page * 0x9e37'79b9'7f4a'7c15 >> shift_; }

    /// Where the page is, or the empty slot where it would go. There always is an empty one.
    u64 slot_of(PageNumber page) const {
        u64 i = home(page.value);
        while (slots_[i].entry.word != 0 && slots_[i].page != page.value) i = (i + 1) & mask_;
        return i;
    }

    Slot* slots_;
    u64 mask_;
    u64 shift_;
    u64 size_ = 0;
};
static_assert(PageTable<InvertedTable>);

}  // namespace tessera::libos
