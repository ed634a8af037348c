#include "guests/small/address_space.hpp"

#include <algorithm>
#include <cstring>

#include "guests/small/frames.hpp"

namespace small {
namespace {

using namespace machine;

constexpr u64 kRoom = kUserBegin + (u64{1} << 32);  // mmap's part
constexpr u64 kEntries = 512;

bool is_user(u64 begin, u64 end) { return begin >= kUserBegin && begin < end && end <= kUserEnd; }
u64 page_of(u64 address) { return address & ~(kPageSize - 1); }
Frame frame_of(Entry entry) { return Frame{entry & kFrameMask}; }
u64 index_at(u64 page, int level) { return page >> (12 + 9 * (level - 1)) & (kEntries - 1); }

Entry entry_for(Frame frame, Rights rights) {
    return frame.address | kPresent | kUser | (rights.write ? kWritable : 0) | (rights.execute ? 0 : kNoExecute);
}

void release_tables(Frame table, int level) {
    for (u64 i = 0; i < kEntries; ++i) {
        const Entry entry = table.as<Entry>()[i];
        if (!(entry & kPresent)) continue;
        if (level > 1) release_tables(frame_of(entry), level - 1);
        else release_frame(frame_of(entry));
    }
    release_frame(table);
}

}  // namespace

bool AddressSpace::create() {
    root_ = allocate_zeroed_frame();
    if (root_) create_root(root_);
    return bool(root_);
}

void AddressSpace::destroy() {
    if (!root_) return;
    retire_root(root_);
    // The rest of the root is the kernel's.
    const Entry entry = root_.as<Entry>()[index_at(kUserBegin, 4)];
    if (entry & kPresent) release_tables(frame_of(entry), 3);
    release_frame(root_);
    *this = {};
}

Region* AddressSpace::find(u64 address) {
    for (Region& region : regions_)
        if (address >= region.begin && address < region.end) return &region;
    return nullptr;
}

Region* AddressSpace::free_region() {
    for (Region& region : regions_)
        if (region.end == 0) return &region;
    return nullptr;
}

bool AddressSpace::add_region(const Region& region) {
    if (!is_user(region.begin, region.end) || (region.begin | region.end) % kPageSize != 0) return false;
    for (const Region& other : regions_)
        if (region.begin < other.end && other.begin < region.end) return false;
    Region* free = free_region();
    if (free == nullptr) return false;
    *free = region;
    return true;
}

u64 AddressSpace::find_room(u64 pages) const {
    if (pages == 0 || pages > (kUserEnd - kRoom) / kPageSize) return 0;
    u64 begin = kRoom;
    for (bool moved = true; moved;) {
        moved = false;
        for (const Region& region : regions_)
            if (region.begin < begin + pages * kPageSize && begin < region.end) begin = region.end, moved = true;
    }
    return begin + pages * kPageSize <= kUserEnd ? begin : 0;
}

/// Make `address` a border between regions, if it lies inside of one.
bool AddressSpace::cut_at(u64 address) {
    Region* region = find(address);
    if (region == nullptr || region->begin == address) return true;
    Region* rest = free_region();
    if (rest == nullptr) return false;
    const u64 before = address - region->begin, skipped = std::min(before, region->source_size);
    *rest = {address, region->end, region->rights, region->source + skipped, region->source_size - skipped};
    region->end = address;
    region->source_size = skipped;
    return true;
}

bool AddressSpace::remove(u64 begin, u64 pages) {
    if (pages > (kUserEnd - kUserBegin) / kPageSize) return false;
    const u64 end = begin + pages * kPageSize;
    if (begin % kPageSize != 0 || !is_user(begin, end) || !cut_at(begin) || !cut_at(end)) return false;
    for (Region& region : regions_)
        if (region.begin >= begin && region.end != 0 && region.end <= end) region = {};
    each_present(begin, end, [](Entry* entry, u64 page) {
        const Frame frame = frame_of(*entry);
        write_entry(entry, 0, page);
        release_frame(frame);
    });
    commit();  // Nobody was given any of the frames meanwhile.
    return true;
}

bool AddressSpace::protect(u64 begin, u64 pages, Rights rights) {
    if (pages > (kUserEnd - kUserBegin) / kPageSize) return false;
    const u64 end = begin + pages * kPageSize;
    if (begin % kPageSize != 0 || !is_user(begin, end)) return false;
    for (u64 at = begin; at < end; at = find(at)->end)
        if (find(at) == nullptr) return false;
    if (!cut_at(begin) || !cut_at(end)) return false;
    for (Region& region : regions_)
        if (region.begin >= begin && region.end != 0 && region.end <= end) region.rights = rights;
    each_present(begin, end, [rights](Entry* entry, u64 page) {
        Rights now = rights;
        if (*entry & kOwnBit) now.write = false;  // Shared: the first write must still be seen.
        write_entry(entry, entry_for(frame_of(*entry), now) | (*entry & (kOwnBit | kAccessed | kDirty)), page);
    });
    commit();
    return true;
}

/// The last-level entry of a page; without `make`, or with memory full, there may be none.
Entry* AddressSpace::leaf(u64 page, bool make) {
    Entry* table = root_.as<Entry>();
    for (int level = 4; level > 1; --level) {
        Entry* entry = table + index_at(page, level);
        if (!(*entry & kPresent)) {
            const Frame made = make ? allocate_zeroed_frame() : Frame{};
            if (!made) return nullptr;
            write_entry(entry, made.address | kPresent | kWritable | kUser, 0);
            commit();
        }
        table = frame_of(*entry).as<Entry>();
    }
    return table + index_at(page, 1);
}

template <class Visit>
void AddressSpace::each_present(u64 begin, u64 end, Visit visit) {
    for (u64 page = begin; page < end;) {
        Entry* entry = leaf(page, false);
        if (entry == nullptr) {
            constexpr u64 kReach = kEntries * kPageSize;  // Nothing in all that one table translates.
            page = page / kReach * kReach + kReach;
            continue;
        }
        if (*entry & kPresent) visit(entry, page);
        page += kPageSize;
    }
}

bool AddressSpace::make_page(const Region& region, Entry* entry, u64 page) {
    const Frame frame = allocate_zeroed_frame();
    if (!frame) return false;
    const u64 offset = page - region.begin;
    if (offset < region.source_size)
        std::memcpy(frame.as(), region.source + offset, std::min(kPageSize, region.source_size - offset));
    write_entry(entry, entry_for(frame, region.rights), page);
    commit();
    return true;
}

/// A write to a page that was shared by a fork: the last of its users keeps it, others get a copy.
bool AddressSpace::own_page(Entry* entry, u64 page) {
    const Frame shared = frame_of(*entry);
    Frame own = shared;
    if (users_of(shared) > 1) {
        own = allocate_frame();
        if (!own) return false;
        std::memcpy(own.as(), shared.as(), kPageSize);
    }
    write_entry(entry, own.address | kPresent | kUser | kWritable | (*entry & kNoExecute), page);
    commit();
    if (own != shared) release_frame(shared);
    return true;
}

bool AddressSpace::touch(u64 address, bool write, bool fetch) {
    const Region* region = find(address);
    if (region == nullptr || (write && !region->rights.write) || (fetch && !region->rights.execute)) return false;
    const u64 page = page_of(address);
    Entry* entry = leaf(page, true);
    if (entry == nullptr) return false;
    if (!(*entry & kPresent)) return make_page(*region, entry, page);
    if (write && *entry & kOwnBit) return own_page(entry, page);
    return true;
}

bool AddressSpace::fork_into(AddressSpace& child) {
    if (!child.create()) return false;
    for (int i = 0; i < kMaxRegions; ++i) child.regions_[i] = regions_[i];
    bool complete = true;
    for (const Region& region : regions_) {
        each_present(region.begin, region.end, [&](Entry* entry, u64 page) {
            Entry* copy = child.leaf(page, true);
            if (copy == nullptr) return void(complete = false);
            // Also what is not writable: `protect` may make it so.
            const Entry shared = (*entry & ~kWritable) | kOwnBit;
            if (*entry != shared) write_entry(entry, shared, page);
            share_frame(frame_of(shared));
            write_entry(copy, shared, page);
        });
    }
    commit();
    if (!complete) child.destroy();
    return complete;
}

Frame AddressSpace::hold(u64 address) {
    if (!is_user(address, address + 1) || !touch(address, false, false)) return {};
    const Frame frame = frame_of(*leaf(page_of(address), false));
    share_frame(frame);
    return frame;
}

bool AddressSpace::read(u64 address, void* to, u64 size) {
    for (u8* out = static_cast<u8*>(to); size != 0;) {
        if (!is_user(address, address + 1) || !touch(address, false, false)) return false;
        const u64 offset = address % kPageSize, part = std::min(size, kPageSize - offset);
        std::memcpy(out, frame_of(*leaf(page_of(address), false)).as() + offset, part);
        out += part, address += part, size -= part;
    }
    return true;
}

bool AddressSpace::write(u64 address, const void* from, u64 size) {
    for (const u8* in = static_cast<const u8*>(from); size != 0;) {
        if (!is_user(address, address + 1) || !touch(address, true, false)) return false;
        const u64 offset = address % kPageSize, part = std::min(size, kPageSize - offset);
        std::memcpy(frame_of(*leaf(page_of(address), false)).as() + offset, in, part);
        in += part, address += part, size -= part;
    }
    return true;
}

}  // namespace small
