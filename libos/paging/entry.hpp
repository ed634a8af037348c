// What a libOS's own page table says of a page, in one word; and what a table of them must be able to do.
//
//   63                                       12 11   10      6   5    4   3   2   1     0
//   +------------------------------------------+---+----------+----+----+---+---+---+------+
//   | frame                                    | 0 | source   | St | Di | Se| X | W | R,Re |
//   +------------------------------------------+---+----------+----+----+---+---+---+------+
//
//   Re: resident, `frame` holds the page; it can be read then.   Di: written since the backing store's copy.
//   Se: should the frame be taken by force, the kernel writes the page to the backing store.
//   St: the backing store has a copy.      source: which capability the frame comes under (AddressSpace).
//
// A word of 0 is no entry.
#pragma once

#include <array>
#include <concepts>

#include "exokernel/abi/capability.hpp"
#include "exokernel/abi/types.hpp"
#include "exokernel/abi/upcalls.hpp"

namespace tessera::libos {

/// What a fault's error word asks for.
constexpr bool is_write(u64 access) { return access & static_cast<u64>(AccessKind::write); }
constexpr Right needed_for(u64 access) {
    if (is_write(access)) return Right::write;
    return access & static_cast<u64>(AccessKind::fetch) ? Right::execute : Right::read;
}

struct Entry {
    u64 word{};

    static constexpr u64 kResident = static_cast<u64>(Right::read);
    static constexpr u64 kSeeded = 1 << 3;
    static constexpr u64 kDirty = 1 << 4;
    static constexpr u64 kStored = 1 << 5;
    static constexpr u64 kSourceShift = 6;
    static constexpr u64 kSources = 32;

    static constexpr Entry make(FrameNumber frame, u64 source, Rights rights, u64 flags = 0) {
        return Entry{frame.value << kPageShift | source % kSources << kSourceShift | (rights.bits & 7) | kResident | flags};
    }
    constexpr bool operator==(const Entry&) const = default;
    constexpr Rights rights() const { return Rights{static_cast<u32>(word & 7)}; }
    constexpr FrameNumber frame() const { return FrameNumber{word >> kPageShift}; }
    constexpr u64 source() const { return word >> kSourceShift & (kSources - 1); }
    constexpr bool has(u64 flags) const { return (word & flags) == flags; }

    /// Resident, and with the right that an access (bits of AccessKind) needs.  Hot: a load and a bit test.
    constexpr bool allows(u64 access) const { return (kAllowed[word & 7] & u64{1} << access % 64) != 0; }

  private:
    /// For each set of rights a bit for each access.
    static constexpr std::array<u64, 8> kAllowed = [] {
        std::array<u64, 8> allowed{};
        for (u64 rights = 0; rights < 8; ++rights)
            for (u64 access = 0; access < 64; ++access)
                if (Rights{static_cast<u32>(rights)}.has(Right::read | needed_for(access)))
                    allowed[rights] |= u64{1} << access;
        return allowed;
    }();
};

/// A libOS's own page table, of any shape. `find` is what every fault goes through.
template <class T>
concept PageTable = requires(T table, PageNumber page, Entry entry) {
    { table.find(page) } -> std::same_as<Entry>;          ///< Of any page number; Entry{}: there is none.
    { table.insert(page, entry) } -> std::same_as<bool>;  ///< Or replace. False: no room; nothing changed.
    { table.erase(page) } -> std::same_as<bool>;          ///< False: there was none.
    { table.size() } -> std::same_as<u64>;                ///< How many entries there are.
};

}  // namespace tessera::libos
