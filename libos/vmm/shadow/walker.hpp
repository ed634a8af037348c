// The guest's page tables, walked as its CPU would (AMD64 APM vol. 2, 5.3; SDM vol. 3, 4.5 to 4.8): long mode with four
// levels, pages of 4 KiB, 2 MiB and 1 GiB, rights of all levels together, reserved bits, accessed and dirty bits.
//
// What lies in the tables is the guest's and means nothing until it has been looked at: an entry is read once; a table that is not in
// memory counts as one whose entries have reserved bits set, as an address reads as ones that nobody on a bus answers to.
#pragma once

#include "libos/vmm/guest_memory.hpp"
#include "libos/vmm/instructions/machine.hpp"

namespace tessera::vmm {

/// An entry of a table, of any level.
namespace entry {
inline constexpr u64 kPresent = 1 << 0;
inline constexpr u64 kWrite = 1 << 1;
inline constexpr u64 kUser = 1 << 2;
inline constexpr u64 kAccessed = 1 << 5;
inline constexpr u64 kDirty = 1 << 6;
inline constexpr u64 kLarge = 1 << 7;
inline constexpr u64 kNoExecute = u64{1} << 63;
inline constexpr u64 kAddress = 0x000f'ffff'ffff'f000;
}  // namespace entry

inline constexpr u64 kEntries = 512;
inline constexpr u32 kLevels = 4;

/// Pages of 4 KiB that an entry of a table of this level (1 to 4) stands for.
constexpr u64 pages_of_entry(u32 level) { return u64{1} << 9 * (level - 1); }
constexpr u64 index_at(u32 level, PageNumber page) { return page.value / pages_of_entry(level) % kEntries; }
/// 36 bits: the page of an address, however its upper bits are.
constexpr PageNumber guest_page(u64 address) { return PageNumber{(address >> kPageShift) & 0xf'ffff'ffff}; }

/// What of the control registers decides over translation. SMAP does not: the guest's CPU has not got it.
struct PagingMode {
    u64 root = 0;              ///< Guest frame of the table of level 4.
    bool paging = false;       ///< CR0.PG. Without it an address is its own translation.
    bool write_protect = false;///< CR0.WP: the kernel too must not write what is read-only.
    bool no_execute = false;   ///< EFER.NXE.
    bool smep = false;         ///< CR4.SMEP.
    u32 physical_bits = 40;    ///< What the guest's CPUID says: the bits of an address above are reserved.

    static constexpr PagingMode of(u64 cr0, u64 cr3, u64 cr4, u64 efer, u32 physical_bits) {
        return {.root = (cr3 & entry::kAddress) >> kPageShift, .paging = (cr0 & cr0::kPaging) != 0,
                .write_protect = (cr0 & cr0::kWriteProtect) != 0, .no_execute = (efer & efer::kNoExecute) != 0,
                .smep = (cr4 & cr4::kSmep) != 0,
                .physical_bits = physical_bits};
    }
    constexpr bool operator==(const PagingMode&) const = default;
};

/// Bits of a page fault's error code, and the word for what this access would get with `found` of them.
constexpr u32 fault_code(const PagingMode& mode, const Access& access, u32 found) {
    const bool tells_fetches = mode.no_execute || mode.smep;
    return found | (access.write ? 2u : 0u) | (access.user ? 4u : 0u) | (access.fetch && tells_fetches ? 16u : 0u);
}
inline constexpr u32 kFoundPresent = 1, kFoundReserved = 8;

/// One entry that a walk went through.
struct Step {
    u64 frame;   ///< The guest frame of the table.
    u32 level;
    u32 index;
    u64 entry;   ///< As it was read.
};

enum class WalkResult : u8 {
    translated,
    fault,       ///< The guest's own: `code` is what its kernel is told.
};

struct Walk {
    WalkResult result = WalkResult::fault;
    u32 code = 0;         ///< Of the fault.
    u32 steps = 0;
    Step step[kLevels]{};
    u32 level = 1;        ///< Of the entry that maps the page: 1, or 2 and 3 for large pages.
    u64 guest_frame = 0;  ///< Of the 4 KiB page; may be beyond the end of memory.
    bool writable = false, user = false, executable = false;  ///< By all levels together.
    bool dirty = false;

    const Step& last() const { return step[steps - 1]; }
};

/// Translate `page` for `access`. Changes nothing.
Walk walk(GuestMemory& memory, const PagingMode& mode, PageNumber page, const Access& access);

/// Are there bits set in an entry that must be zero (SDM vol. 3, table 4-14 and onwards)?
bool has_reserved_bits(const PagingMode& mode, u32 level, u64 entry);

/// One entry of a table, read once; nothing where no memory is.
std::optional<u64> read_entry(GuestMemory& memory, u64 table_frame, u64 index);
/// Set `bits` in an entry that was `expected`; one that cannot be written stays as it is. False: it is another by now.
bool set_bits(GuestMemory& memory, u64 table_frame, u64 index, u64 expected, u64 bits);

/// What the CPU notes in the tables when an access goes through: accessed in every entry of the walk, dirty in the last
/// for a write. The steps are brought up to date. False: an entry has changed meanwhile, so walk again.
bool note_access(GuestMemory& memory, Walk& walk, bool write);

}  // namespace tessera::vmm
