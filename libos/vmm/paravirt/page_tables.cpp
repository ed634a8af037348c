#include "libos/vmm/paravirt/page_tables.hpp"

namespace tessera::vmm::paravirt {
namespace {

constexpr u64 kPresent = 1, kWritable = 2, kUser = 4, kNoExecute = u64{1} << 63;
constexpr u64 kFrameMask = 0x000f'ffff'ffff'f000;
/// Accessed, dirty, and bits 9 to 11 are the guest's. PWT, PCD, PAT, large, global and all others are refused.
constexpr u64 kAllowed = kPresent | kWritable | kUser | 0x60 | 0xe00 | kFrameMask | kNoExecute;
constexpr u64 kEntries = 512, kGuestSlots = 256;  // Of a root, the guest has 1 to 255.

u64 frame_of(u64 entry) { return (entry & kFrameMask) >> kPageShift; }

}  // namespace

std::byte* OrdinaryMemory::page(u64 guest_frame, bool write) {
    return write && tables_.is_table(guest_frame) ? nullptr : memory_.page(guest_frame, write);
}

u64* PageTables::words(u64 frame, bool write) {
    // Safety: a page is 4096 bytes at a page's border.
    return reinterpret_cast<u64*>(memory_.page(frame, write));
}

bool PageTables::is_empty(u64 frame) {
    const u64* at = words(frame, false);
    for (u64 i = 0; at != nullptr && i < kEntries; ++i)
        if (at[i] != 0) return false;
    return at != nullptr;
}

/// False, and nothing changed, if there is anything in the frame.
bool PageTables::make_table(u64 frame, u32 level, u32 parent) {
    uses_[frame] = {level, 1, parent};
    // First read-only, then looked at: another of the guest's CPUs may write meanwhile.
    effects_.table_made(frame);
    if (is_empty(frame)) return true;
    uses_[frame] = {};
    effects_.table_gone(frame);
    return false;
}

bool PageTables::create_root(u64 frame) {
    if (frame >= uses_.size() || frame >= kMostFrames || uses_[frame].level != 0 || uses_[frame].uses != 0) return false;
    return make_table(frame, kLevels, kUnknown);
}

bool PageTables::destroy_root(u64 frame) {
    if (!is_root(frame)) return false;
    effects_.root_gone(frame);
    release(kLevels + 1, frame << kPageShift | kPresent);
    return true;
}

/// Count one more use of what an entry of a table of this level leads to. False: it may not lead there.
bool PageTables::take(u32 level, u64 value, u64 entry) {
    if (!(value & kPresent)) return true;
    const u64 frame = frame_of(value);
    if ((value & ~kAllowed) != 0 || frame >= uses_.size() || frame >= kMostFrames) return false;
    FrameUse& use = uses_[frame];
    constexpr u32 kMostUses = (1u << 29) - 1;
    if (use.uses == kMostUses) return false;
    if (level == 1) {
        if (!(value & kWritable)) return true;
        if (use.level != 0) return false;
        ++use.uses;
        return true;
    }
    if (use.level == level - 1) {
        ++use.uses;
        use.parent = kUnknown;
        return true;
    }
    return use.level == 0 && use.uses == 0 && make_table(frame, level - 1, static_cast<u32>(entry / sizeof(u64)));
}

/// One use less. A table without any is none, and neither is what only it led to. Goes down four levels at most.
/// That the entry was once checked is not relied upon: a table that was written otherwise is the guest's loss alone.
void PageTables::release(u32 level, u64 value) {
    const u64 frame = frame_of(value);
    if (!(value & kPresent) || frame >= uses_.size()) return;
    FrameUse& use = uses_[frame];
    if (use.level != level - 1 || use.uses == 0 || (level == 1 && !(value & kWritable))) return;
    if (level == 1) {
        --use.uses;
        return;
    }
    if (--use.uses != 0) return;
    const u64* entries = words(frame, false);
    const u64 end = level - 1 == kLevels ? kGuestSlots : kEntries;
    for (u64 i = 0; entries != nullptr && i < end; ++i) {
        const u64 entry = entries[i];
        release(level - 1, entry);
        if (level > 2 && (entry & kPresent)) entries = words(frame, false);  // Another page was looked at meanwhile.
    }
    use = {};
    effects_.table_gone(frame);
}

/// An entry of the last level changed: find the page that it translates, by way of its table's parents.
void PageTables::tell_change(u64 entry, bool was_there) {
    u64 page = entry % kPageSize / sizeof(u64) << kPageShift, frame = entry >> kPageShift;
    for (u32 level = 1; level < kLevels; ++level) {
        const u64 parent = uses_[frame].parent;
        if (parent == kUnknown) {
            if (was_there) effects_.tables_changed();
            return;
        }
        page |= parent % kEntries << (kPageShift + 9 * level);
        frame = parent / kEntries;
    }
    effects_.page_changed(frame, page);
}

bool PageTables::update(const Update& update) {
    const u64 frame = update.entry >> kPageShift, index = update.entry % kPageSize / sizeof(u64);
    if (update.entry % sizeof(u64) != 0 || frame >= uses_.size()) return false;
    const u32 level = uses_[frame].level;
    if (level == 0 || (level == kLevels && (index == 0 || index >= kGuestSlots))) return false;
    if (!take(level, update.value, update.entry)) return false;
    u64* entries = words(frame, true);
    if (entries == nullptr) {
        release(level, update.value);
        return false;
    }
    const u64 before = entries[index];
    entries[index] = update.value;
    if (level == 1 && ((before | update.value) & kPresent)) tell_change(update.entry, before & kPresent);
    if (level != 1 && (before & kPresent)) effects_.tables_changed();
    release(level, before);
    return true;
}

bool PageTables::walk(u64 root, u64 address, Translation& translation) {
    if (!is_root(root) || address >> 39 == 0 || address >> 39 >= kGuestSlots) return false;
    translation = {root, true, true, true};
    for (u32 level = kLevels; level > 0; --level) {
        const u64* entries = words(translation.frame, false);
        if (entries == nullptr) return false;
        const u64 entry = entries[address >> (kPageShift + 9 * (level - 1)) & (kEntries - 1)];
        if (!(entry & kPresent) || frame_of(entry) >= uses_.size()) return false;
        translation.frame = frame_of(entry);
        translation.writable = translation.writable && (entry & kWritable);
        translation.user = translation.user && (entry & kUser);
        translation.executable = translation.executable && !(entry & kNoExecute);
    }
    return true;
}

}  // namespace tessera::vmm::paravirt
