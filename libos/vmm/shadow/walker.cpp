// The guest's page tables, walked: libos/vmm/shadow/walker.hpp.
#include "libos/vmm/shadow/walker.hpp"

#include <atomic>

namespace tessera::vmm {

namespace {

std::atomic_ref<u64> entry_at(std::byte* table, u64 index) {
    // Safety: a page of guest memory is aligned, and index is below 512.
    return std::atomic_ref<u64>(reinterpret_cast<u64*>(table)[index]);
}

/// A translation is there: may this access use it? SDM vol. 3, 4.6.1.
bool may(const PagingMode& mode, const Access& access, const Walk& found) {
    if (access.user) {
        if (!found.user) return false;
        return access.fetch ? found.executable : !access.write || found.writable;
    }
    if (access.fetch) return found.executable && !(mode.smep && found.user);
    return !access.write || found.writable || !mode.write_protect;
}

}  // namespace

bool has_reserved_bits(const PagingMode& mode, u32 level, u64 value) {
    if (!mode.no_execute && (value & entry::kNoExecute)) return true;
    const u64 beyond = entry::kAddress & ~((u64{1} << mode.physical_bits) - 1);
    if (value & beyond) return true;
    if (!(value & entry::kLarge) || level == 1) return false;
    if (level == kLevels) return true;
    // A large page is aligned; its lowest address bit is that of the memory type (PAT).
    return (value & entry::kAddress & ((pages_of_entry(level) - 1) << kPageShift) & ~u64{kPageSize}) != 0;
}

std::optional<u64> read_entry(GuestMemory& memory, u64 table_frame, u64 index) {
    std::byte* table = table_frame < memory.frames() ? memory.page(table_frame, false) : nullptr;
    if (!table) return std::nullopt;
    return entry_at(table, index).load(std::memory_order_acquire);
}

bool set_bits(GuestMemory& memory, u64 table_frame, u64 index, u64 expected, u64 bits) {
    if ((expected & bits) == bits) return true;
    std::byte* table = table_frame < memory.frames() ? memory.page(table_frame, true) : nullptr;
    return table == nullptr || entry_at(table, index).compare_exchange_strong(expected, expected | bits);
}

bool note_access(GuestMemory& memory, Walk& walk, bool write) {
    for (u32 i = 0; i < walk.steps; ++i) {
        Step& step = walk.step[i];
        const u64 bits = entry::kAccessed | (write && i + 1 == walk.steps ? entry::kDirty : 0);
        if (!set_bits(memory, step.frame, step.index, step.entry, bits)) return false;
        step.entry |= bits;
    }
    walk.dirty |= write;
    return true;
}

Walk walk(GuestMemory& memory, const PagingMode& mode, PageNumber page, const Access& access) {
    Walk found{.writable = true, .user = true, .executable = true};
    if (!mode.paging) {
        found.result = WalkResult::translated;
        found.guest_frame = page.value;
        found.dirty = true;
        return found;
    }
    u64 table = mode.root;
    for (u32 level = kLevels;; --level) {
        Step& step = found.step[found.steps++];
        step = {table, level, static_cast<u32>(index_at(level, page)), 0};
        const std::optional<u64> value = read_entry(memory, table, step.index);
        step.entry = value.value_or(0);
        if (value && !(*value & entry::kPresent)) {
            found.code = fault_code(mode, access, 0);
            return found;
        }
        if (!value || has_reserved_bits(mode, level, *value)) {
            found.code = fault_code(mode, access, kFoundPresent | kFoundReserved);
            return found;
        }
        found.writable &= (step.entry & entry::kWrite) != 0;
        found.user &= (step.entry & entry::kUser) != 0;
        found.executable &= !(step.entry & entry::kNoExecute);
        table = (step.entry & entry::kAddress) >> kPageShift;
        if (level == 1 || (step.entry & entry::kLarge)) {
            found.level = level;
            found.dirty = (step.entry & entry::kDirty) != 0;
            const u64 within = pages_of_entry(level) - 1;
            found.guest_frame = (table & ~within) | (page.value & within);
            break;
        }
    }
    if (may(mode, access, found))
        found.result = WalkResult::translated;
    else
        found.code = fault_code(mode, access, kFoundPresent);
    return found;
}

}  // namespace tessera::vmm
