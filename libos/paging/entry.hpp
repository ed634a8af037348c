// What a libOS's own page table says of a page, in one word; and what a table of them must be able to do.
//
//   63      62       52 51                                12 11       6   5    4    3   2 1 0
//   +------+-----------+-----------------------------------+----------+----+----+----+--+-+-+
//   | 0    | source    | frame                             | 0        |St  |Di  |Re  |X |W|R|
//   +------+-----------+-----------------------------------+----------+----+----+----+--+-+-+
//
//   Re: resident, `frame` holds the page.   Di: written since its copy in the backing store was made.
//   St: the backing store has a copy.       source: which capability the frame comes under (AddressSpace).
//
// A word of 0 is no entry.
#pragma once

#include <concepts>

#include "exokernel/abi/capability.hpp"
#include "exokernel/abi/types.hpp"

namespace tessera::libos {

struct Entry {
    u64 word{};

    static constexpr u64 kResident = 1 << 3;
    static constexpr u64 kDirty = 1 << 4;
    static constexpr u64 kStored = 1 << 5;
    static constexpr u64 kSourceShift = 52;
    static constexpr u64 kSources = 2048;
    static constexpr u64 kFrameMask = 0x000f'ffff'ffff'f000;

    static constexpr Entry make(FrameNumber frame, u64 source, Rights rights, u64 flags = 0) {
        return Entry{source << kSourceShift | frame.value << kPageShift | kResident | flags | (rights.bits & 7)};
    }
    constexpr bool operator==(const Entry&) const = default;
    constexpr Rights rights() const { return Rights{static_cast<u32>(word & 7)}; }
    constexpr FrameNumber frame() const { return FrameNumber{(word & kFrameMask) >> kPageShift}; }
    constexpr u64 source() const { return word >> kSourceShift; }
    constexpr bool has(u64 flags) const { return (word & flags) == flags; }
};

/// A libOS's own page table, of any shape. `find` is what every fault goes through; an entry found may be
/// changed in place, to anything but 0, until the table is changed.
template <class T>
concept PageTable = requires(T table, PageNumber page, Entry entry) {
    { table.find(page) } -> std::same_as<Entry*>;         ///< nullptr: no entry.
    { table.insert(page, entry) } -> std::same_as<bool>;  ///< Or replace. False: no room; nothing changed.
    { table.erase(page) } -> std::same_as<bool>;          ///< False: there was none.
    { table.size() } -> std::same_as<u64>;                ///< How many entries there are.
};

}  // namespace tessera::libos
