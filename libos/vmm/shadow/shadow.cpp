// Shadow paging: libos/vmm/shadow/shadow.hpp.
#include "libos/vmm/shadow/shadow.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace tessera::vmm {

namespace {

/// May something have been bound through an entry like this? Whatever is bound is noted as accessed first.
constexpr bool may_be_bound(u64 value) {
    return (value & (entry::kPresent | entry::kAccessed)) == (entry::kPresent | entry::kAccessed);
}

constexpr PageNumber start_of_table(u32 level, PageNumber page) {
    return PageNumber{page.value & ~(pages_of_entry(level) * kEntries - 1)};
}

}  // namespace

// ---- What is bound through a table ----

void Shadow::drop(const TableUse& use, u64 first_entry, u64 entries) {
    if (use.roots == 0) return;
    const u64 each = pages_of_entry(use.level);
    for (u64 roots = use.roots; roots != 0; roots &= roots - 1) {
        const u32 root = static_cast<u32>(std::countr_zero(roots));
        if (use.level == kLevels && entries == kEntries)
            hardware_.forget_root(root);
        else
            hardware_.forget(root, use.first + first_entry * each, entries * each);
    }
}

void Shadow::drop_entries(u32 index, u64 first_entry, u64 entries) {
    counts_.changed += entries;
    ++changes_;
    for (const TableUse& use : tables_[index].use) drop(use, first_entry, entries);
}

// Invariant: whatever is bound was read from entries that are what the copy says, but for the bits that are set here.
void Shadow::sync_entry(u32 index, u64 entry_index, u64 now) {
    u64& copy = tables_.copy(index)[entry_index];
    if (copy == now) return;
    const u64 old = copy;
    copy = now;
    if (may_be_bound(old)) drop_entries(index, entry_index, 1);
}

void Shadow::sync(u32 index) {
    TracedTable& table = tables_[index];
    ++counts_.syncs;
    if (++table.unwalked > kMostUnwalked) return release(index);
    // Order: first nobody writes it any more, then it is read.
    counts_.searches += records_.protect(table.frame, roots_.generations(), hardware_);
    table.out_of_sync = false;
    const std::byte* page = memory_.page(table.frame, false);
    if (page == nullptr) return release(index);
    TableCopy now;
    std::memcpy(&now, page, sizeof now);
    TableCopy& copy = tables_.copy(index);
    u64 first = kEntries;  // of a run of entries to be dropped
    for (u64 i = 0; i <= kEntries; ++i) {
        const bool changed = i < kEntries && copy[i] != now[i];
        const bool dropped = changed && may_be_bound(copy[i]);
        if (dropped && first == kEntries) first = i;
        if (!dropped && first != kEntries) {
            drop_entries(index, first, i - first);
            first = kEntries;
        }
        if (changed) copy[i] = now[i];
    }
}

void Shadow::flush() {
    ++counts_.flushes;
    while (out_of_sync_ != 0) sync(list_[--out_of_sync_]);
}

void Shadow::go_out_of_sync(u32 index) {
    if (out_of_sync_ == kMostOutOfSync) {
        const u32 oldest = list_[0];
        std::copy(list_.begin() + 1, list_.end(), list_.begin());
        --out_of_sync_;
        sync(oldest);
    }
    tables_[index].out_of_sync = true;
    list_[out_of_sync_++] = index;
}

// ---- Which tables there are ----

u32 Shadow::trace(u64 frame) {
    if (const u32 known = records_.table(frame)) return known - 1;
    const u32 index = tables_.next(walk_);
    if (tables_[index].frame != TracedTable::kNoFrame) release(index);
    ++counts_.traced;
    counts_.searches += records_.protect(frame, roots_.generations(), hardware_);
    TableCopy& copy = tables_.copy(index);
    if (const std::byte* page = memory_.page(frame, false))
        std::memcpy(&copy, page, sizeof copy);
    else
        copy.fill(0);
    tables_[index].frame = frame;
    records_.table(frame) = index + 1;
    return index;
}

void Shadow::release(u32 index) {
    TracedTable& table = tables_[index];
    ++counts_.released;
    ++changes_;
    for (const TableUse& use : table.use) drop(use, 0, kEntries);
    out_of_sync_ = static_cast<u32>(std::remove(list_.begin(), list_.begin() + out_of_sync_, index) - list_.begin());
    records_.table(table.frame) = 0;
    table = TracedTable{};
}

void Shadow::note_use(u32 index, u32 level, PageNumber first) {
    TableUse* room = nullptr;
    for (TableUse& use : tables_[index].use) {
        if (use.roots != 0 && use.level == level && use.first == first) {
            use.roots |= u64{1} << root_;
            use.walk = walk_;
            return;
        }
        // One of them was not used by this walk, which has noted three uses at most.
        if (use.walk != walk_ && (room == nullptr || use.roots == 0)) room = &use;
    }
    drop(*room, 0, kEntries);
    *room = {u64{1} << root_, walk_, first, level};
}

/// Trace the tables of a walk and bring the copies of its entries up to date. False: they are not what was read.
bool Shadow::follow(const Walk& found, PageNumber page) {
    ++walk_;
    u32 index[kLevels];
    for (u32 i = 0; i < found.steps; ++i) {
        const Step& step = found.step[i];
        index[i] = trace(step.frame);
        TracedTable& table = tables_[index[i]];
        table.walk = walk_;
        table.recent = true;
        table.unwalked = 0;
        note_use(index[i], step.level, start_of_table(step.level, page));
    }
    for (u32 i = 0; i < found.steps; ++i) {
        const Step& step = found.step[i];
        if (read_entry(memory_, step.frame, step.index) != step.entry) return false;
        sync_entry(index[i], step.index, step.entry);
    }
    return true;
}

// A table out of sync is compared with its copy at the next flush; from what the copy says nothing may have been bound unless it was
// accessed, so that has to stand in it.
u64 Shadow::holds_until(const Walk& found) {
    constexpr u64 kNoted = entry::kAccessed | entry::kDirty;
    for (u32 i = 0; i < found.steps; ++i) {
        const Step& step = found.step[i];
        const u32 traced = records_.table(step.frame);
        if (!traced || ((tables_.copy(traced - 1)[step.index] ^ step.entry) & ~kNoted)) return epoch();
        tables_.copy(traced - 1)[step.index] = step.entry | entry::kAccessed;
    }
    return changes();
}

// ---- A fault ----

ShadowDecision Shadow::fault(u64 address, const Access& access) {
    const PageNumber page = guest_page(address);
    ++counts_.faults;
    for (u32 attempt = 0; attempt < kAttempts; ++attempt) {
        Walk found = walk(memory_, mode(), page, access);
        if (found.result == WalkResult::fault) {
            ++counts_.reflected;
            return {ShadowVerdict::reflect, found.code, {}};
        }
        if (!follow(found, page) || !note_access(memory_, found, access.write)) continue;
        for (u32 i = 0; i < found.steps; ++i) {
            const Step& step = found.step[i];
            tables_.copy(records_.table(step.frame) - 1)[step.index] = step.entry | entry::kAccessed;
        }
        ShadowMapping mapping = make_mapping(found, page, access);
        if (found.guest_frame >= memory_.frames()) return {ShadowVerdict::nowhere, 0, mapping};
        ++counts_.bound;
        counts_.pages += mapping.count;
        return {ShadowVerdict::bind, 0, mapping};
    }
    return {ShadowVerdict::again, 0, {}};
}

ShadowMapping Shadow::make_mapping(const Walk& found, PageNumber page, const Access& access) {
    ShadowMapping mapping{root_, page, page, found.guest_frame, 1, found.writable && found.dirty, found.executable, found.user};
    if (found.guest_frame >= memory_.frames()) return mapping;
    const bool forced = access.write && !found.writable;
    if (forced) {
        // A kernel that does not protect itself (CR0.WP = 0) writes what it made read-only. While it may, ring 3 may not
        // even read it: it asks again, and the binding is what the table says once more.
        mapping.write = true;
        mapping.user = false;
        if (mode().smep && found.user) mapping.execute = false;
    }
    if (const u32 traced = records_.table(found.guest_frame); traced && !tables_[traced - 1].out_of_sync) {
        mapping.write = access.write;
        if (access.write) {
            ++counts_.table_writes;
            go_out_of_sync(traced - 1);
        }
    }
    if (records_.watched(found.guest_frame)) {
        mapping.write = access.write;
        if (access.write) end_watch(found.guest_frame);
    }
    if (mapping.write) records_.note_way(found.guest_frame, root_, page, roots_.generations());
    if (!forced) add_neighbours(found, mapping);
    return mapping;
}

/// A fault for each page costs more than a few bindings that are not needed: those neighbours that the guest has used,
/// for which nothing has to be noted in its tables, come along.
void Shadow::add_neighbours(const Walk& found, ShadowMapping& mapping) {
    const u64 lowest = mapping.page.value & ~u64{around_ - 1}, end = lowest + around_;
    const auto frame_of = [&](u64 page) { return found.guest_frame + (page - mapping.page.value); };
    for (u64 page = mapping.page.value + 1; page < end && joins(found, mapping, PageNumber{page}, frame_of(page)); ++page) ++mapping.count;
    for (u64 page = mapping.page.value; page-- > lowest && joins(found, mapping, PageNumber{page}, frame_of(page));) {
        ++mapping.count;
        mapping.first = PageNumber{page};
        mapping.guest_frame = frame_of(page);
    }
}

bool Shadow::joins(const Walk& found, const ShadowMapping& mapping, PageNumber page, u64 guest_frame) {
    if (guest_frame >= memory_.frames()) return false;
    const u32 traced = records_.table(guest_frame);
    if (mapping.write && ((traced && !tables_[traced - 1].out_of_sync) || records_.watched(guest_frame))) return false;
    if (found.steps != 0 && found.level == 1) {
        const Step& step = found.last();
        const u64 index = index_at(1, page);
        // It was traced when it was walked; it may have been lost since, when another table was compared.
        const u32 table = records_.table(step.frame);
        const std::optional<u64> neighbour = table ? read_entry(memory_, step.frame, index) : std::nullopt;
        const u64 needed = entry::kAccessed | (mapping.write ? entry::kDirty : 0);
        constexpr u64 kSame = entry::kPresent | entry::kWrite | entry::kUser | entry::kNoExecute;
        if (!neighbour || ((*neighbour ^ step.entry) & kSame) || (*neighbour & needed) != needed) return false;
        if ((*neighbour & entry::kAddress) >> kPageShift != guest_frame || has_reserved_bits(mode(), 1, *neighbour)) return false;
        sync_entry(table - 1, index, *neighbour);
    }
    if (mapping.write) records_.note_way(guest_frame, root_, page, roots_.generations());
    return true;
}

// ---- What the guest, and others, say ----

u32 Shadow::load(const PagingMode& mode) {
    ++counts_.loads;
    flush();
    const RootCache::Found found = roots_.find(mode);
    root_ = found.root;
    if (found.made) {
        ++counts_.made;
        ++changes_;
        for (u32 i = 0; i < tables_.size(); ++i)
            for (TableUse& use : tables_[i].use) use.roots &= ~(u64{1} << root_);
        hardware_.forget_root(root_);
    }
    return root_;
}

void Shadow::invalidate(u64 address) {
    ++counts_.invalidations;
    if (!mode().paging) return;
    const PageNumber page = guest_page(address);
    u64 frame = mode().root;
    // An entry that is as it was needs nothing, and where one changed, all that was bound through it goes: no need to
    // know what the way down was before.
    for (u32 level = kLevels; level != 0; --level) {
        const u64 index = index_at(level, page);
        const std::optional<u64> value = read_entry(memory_, frame, index);
        if (!value) return;
        if (const u32 traced = records_.table(frame)) sync_entry(traced - 1, index, *value);
        if (!(*value & entry::kPresent) || (*value & entry::kLarge)) return;
        frame = (*value & entry::kAddress) >> kPageShift;
    }
}

void Shadow::written(u64 guest_frame) {
    if (guest_frame >= records_.size()) return;
    const u32 traced = records_.table(guest_frame);
    if (traced && !tables_[traced - 1].out_of_sync) go_out_of_sync(traced - 1);
    if (records_.watched(guest_frame)) end_watch(guest_frame);
}

void Shadow::end_watch(u64 guest_frame) {
    records_.watched(guest_frame) = 0;
    if (watcher_) watcher_->on_write(guest_frame);
}

void Shadow::watch(u64 guest_frame) {
    if (guest_frame >= records_.size()) return;
    records_.watched(guest_frame) = 1;
    protect(guest_frame);
}

void Shadow::protect(u64 guest_frame) {
    if (guest_frame < records_.size()) counts_.searches += records_.protect(guest_frame, roots_.generations(), hardware_);
}

void Shadow::lose(u64 guest_frame) {
    if (guest_frame >= records_.size()) return;
    if (const u32 traced = records_.table(guest_frame)) release(traced - 1);
}

bool Shadow::is_protected(u64 guest_frame) {
    const u32 traced = guest_frame < records_.size() ? records_.table(guest_frame) : 0;
    return traced && !tables_[traced - 1].out_of_sync;
}

}  // namespace tessera::vmm
