// The stores. A squeezed page is a list of pairs: a head word (count << 1 | repeated), then one word that is
// repeated `count` times or `count` words as they are.
#include "libos/paging/backing_store.hpp"

#include <array>
#include <cstring>

namespace tessera::libos {
namespace {

constexpr u64 kWords = kPageSize / sizeof(u64);

using PageWords = std::array<u64, kWords>;

/// Call `put(word)` for every word of the squeezed form. Runs shorter than 4 are not worth a head of their own.
template <class Put>
void squeeze(const PageWords& page, Put&& put) {
    constexpr u64 kShortest = 4;
    auto run_at = [&](u64 at) {
        u64 length = 1;
        while (at + length < kWords && page[at + length] == page[at]) ++length;
        return length;
    };
    for (u64 at = 0; at < kWords;) {
        if (const u64 run = run_at(at); run >= kShortest) {
            put(run << 1 | 1);
            put(page[at]);
            at += run;
            continue;
        }
        u64 end = at;
        while (end < kWords) {
            const u64 run = run_at(end);
            if (run >= kShortest) break;
            end += run;
        }
        put((end - at) << 1);
        for (; at < end; ++at) put(page[at]);
    }
}

}  // namespace

void copy_page(void* to, const void* from) {
    constexpr u64 kSmallestStlb = 128, kPiece = 512;
    const u64 apart = reinterpret_cast<u64>(to) - reinterpret_cast<u64>(from);
    if (apart % (kSmallestStlb * kPageSize) >= kPageSize) {
        std::memcpy(to, from, kPageSize);
        return;
    }
    for (u64 offset = 0; offset < kPageSize; offset += kPiece) {
        char piece[kPiece];
        std::memcpy(piece, static_cast<const char*>(from) + offset, kPiece);
        std::memcpy(static_cast<char*>(to) + offset, piece, kPiece);
    }
}

bool MemoryStore::write(u64 slot, const void* from) {
    if (slot >= count_) return false;
    copy_page(memory_of(first_ + slot), from);
    return true;
}

bool MemoryStore::read(u64 slot, void* to) {
    if (slot >= count_) return false;
    copy_page(to, memory_of(first_ + slot));
    return true;
}

SqueezingStore::SqueezingStore(std::span<Unit> units, std::span<u32> heads) : units_(units), heads_(heads) {
    for (u32& head : heads_) head = 0;
    for (u64 i = units_.size(); i-- > 0;) {
        units_[i].next = free_;
        free_ = i + 1;
    }
    free_units_ = units_.size();
}

void SqueezingStore::release(u32& head) {
    for (u64 at = head; at != 0;) {
        Unit& unit = units_[at - 1];
        const u64 next = unit.next;
        unit.next = free_;
        free_ = at;
        ++free_units_;
        at = next;
    }
    head = 0;
}

// The old copy goes first: it is of no use any more, and its units may be the ones that are needed.
bool SqueezingStore::write(u64 slot, const void* from) {
    if (slot >= heads_.size()) return false;
    release(heads_[slot]);
    const PageWords& page = *static_cast<const PageWords*>(from);
    u64 words = 0;
    squeeze(page, [&](u64) { ++words; });
    const u64 needed = (words + kUnitWords - 1) / kUnitWords;
    if (needed > free_units_) return false;

    // The units wanted are already linked, as free ones.
    heads_[slot] = static_cast<u32>(free_);
    Unit* unit = nullptr;
    u64 filled = kUnitWords;
    squeeze(page, [&](u64 word) {
        if (filled == kUnitWords) {
            unit = &units_[free_ - 1];
            free_ = unit->next;
            filled = 0;
        }
        unit->word[filled++] = word;
    });
    unit->next = 0;
    free_units_ -= needed;
    return true;
}

bool SqueezingStore::read(u64 slot, void* to) {
    if (slot >= heads_.size() || heads_[slot] == 0) return false;
    PageWords& page = *static_cast<PageWords*>(to);
    const Unit* unit = &units_[heads_[slot] - 1];
    u64 used = 0;
    auto next_word = [&] {
        if (used == kUnitWords) {
            unit = &units_[unit->next - 1];
            used = 0;
        }
        return unit->word[used++];
    };
    for (u64 at = 0; at < kWords;) {
        const u64 head = next_word();
        const u64 end = at + (head >> 1);
        if (head & 1)
            for (const u64 word = next_word(); at < end; ++at) page[at] = word;
        else
            for (; at < end; ++at) page[at] = next_word();
    }
    return true;
}

}  // namespace tessera::libos
