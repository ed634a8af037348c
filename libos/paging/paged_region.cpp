// A page comes in readable; its first write makes it writable and dirty, which the region sees as a fault.
// So it knows what has to be written out without trusting a bit that the S-TLB may have lost.
#include "libos/paging/paged_region.hpp"

#include <cstring>

#include "libos/core/call.hpp"

namespace tessera::libos {
namespace {

constexpr Rights kReadWrite = Right::read | Right::write;
constexpr u64 kAccessedBit = 1;  // ClearBits::Args::which

/// In `places`: the page was not in the S-TLB when it was last asked for; it has not been asked for.
constexpr u64 kLost = u64{1} << 63, kFresh = u64{1} << 62;
/// In the table: the page's contents are lost.
constexpr Entry kSpoilt{Entry::kDirty};
constexpr PageNumber page_in(PageNumber held) { return {held.value & ~(kLost | kFresh)}; }

}  // namespace

bool PagedRegion::on_miss(Mapper& mapper, PageNumber page, u64 access) {
    if (access & static_cast<u64>(AccessKind::fetch)) return false;
    ++counts_.faults;
    const Entry entry = mapper.entry(page);
    if (!entry.has(Entry::kResident)) return fill(mapper, page, access);
    if (!is_write(access) || entry.rights().has(Right::write)) return false;
    ++counts_.upgrades;
    if (mapper.map(page, Entry{entry.word | kReadWrite.bits | Entry::kDirty})) return true;
    if (parts_.pool.holds(entry.frame())) return false;
    // Lost before it was written.
    for (u64 place = 0; place < resident_; ++place)
        if (page_in(parts_.places[place]) == page) return mapper.unmap(page, entry) && forget(mapper, place);
    return false;
}

// A frame may be taken by force between any two lines. Then the page is left as it was before, and the access, made again,
// begins anew.
bool PagedRegion::fill(Mapper& mapper, PageNumber page, u64 access) {
    const Entry before = mapper.entry(page);
    if (before == kSpoilt) return false;
    const bool stored = before.has(Entry::kStored) || parts_.filled;
    Room room{};
    if (!find_room(mapper, room)) return false;
    parts_.places[room.place] = {page.value | kFresh};
    const bool filled = fill_frame(mapper, page, room, stored, access);
    if (parts_.pool.holds(room.frame)) return filled;
    leave(room.place);
    return mapper.unmap(page, before);
}

// While it is being filled the page is bound writable; what the table then says is what it is bound as.
bool PagedRegion::fill_frame(Mapper& mapper, PageNumber page, const Room& room, bool stored, u64 access) {
    const u64 flags = stored ? Entry::kStored : 0;
    const Entry writable = Entry::make(room.frame, parts_.source, kReadWrite, flags | Entry::kDirty);
    const bool needs_filling = stored || !room.is_zero;
    if (needs_filling) {
        if (!mapper.map(page, writable)) return false;
        if (stored) {
            if (!parts_.store.read(page - first(), memory_of(page))) return false;
            ++counts_.reads;
        } else {
            std::memset(memory_of(page), 0, kPageSize);
        }
    }
    counts_.zero_fills += !stored;
    const bool seeded = parts_.store.seed(parts_.pool.capability(), room.frame, page - first());
    parts_.eviction.on_filled(room.place);
    const Entry filled{(is_write(access) ? writable : Entry::make(room.frame, parts_.source, Right::read, flags)).word |
                       (seeded ? Entry::kSeeded : 0)};
    return (filled == writable && needs_filling) || mapper.map(page, filled);
}

/// A frame to fill, and a place for its page. False: there is none, and no page could make room.
bool PagedRegion::find_room(Mapper& mapper, Room& room) {
    if (resident_ < parts_.places.size()) {
        room.frame = parts_.pool.take(room.is_zero);
        if (room.frame.value != kAny) {
            room.place = resident_++;
            return true;
        }
    }
    do {
        if (resident_ == 0 || !evict(mapper, room)) return false;
    } while (room.frame.value == kAny);
    return true;
}

/// Make room by putting out one page.
bool PagedRegion::evict(Mapper& mapper, Room& room) {
    room.place = parts_.eviction.choose(resident_, *this) % resident_;
    return put_out(mapper, room.place, room.frame);
}

/// The page in the last place moves to this one, which has none any more.
void PagedRegion::leave(u64 place) { parts_.places[place] = parts_.places[--resident_]; }

/// Where a page is whose frame was taken: in the store, as it was before or as the kernel saved it, or, if it was dirty
/// and not saved, nowhere. One that was never written is zero again. Where the vector had no room to say what was
/// done, it is what the frame was seeded for.
Entry PagedRegion::after_loss(Entry entry) const {
    const std::optional<Saved> saved = find_saved(entry.frame());
    if (saved ? saved->kind == AutosaveKind::copy : entry.has(Entry::kSeeded)) return Entry{Entry::kStored};
    if (entry.has(Entry::kDirty)) return kSpoilt;
    return Entry{entry.word & Entry::kStored};
}

// Order: the contents are safe before the page loses its frame, and the frame is seeded for it until then, but not any
// more when it holds another. A page that was only read and has a copy, or that was never written, needs no writing
// out. Was the frame lost while its page was written out, then what was written may be anything.
bool PagedRegion::put_out(Mapper& mapper, u64 place, FrameNumber& frame) {
    const PageNumber page = page_in(parts_.places[place]);
    const Entry entry = mapper.entry(page);
    frame = entry.frame();
    Entry left{entry.word & Entry::kStored};
    if (entry.has(Entry::kDirty)) {
        if (!parts_.store.write(page - first(), memory_of(page))) return false;
        ++counts_.writes;
        left = Entry{Entry::kStored};
    }
    ++counts_.evictions;
    if (!parts_.pool.holds(frame)) {
        // Without a line, nobody knows whether the kernel wrote it first, or we what we found then.
        const bool unsure = entry.has(Entry::kDirty) && !find_saved(frame);
        frame = {kAny};
        return forget(mapper, place, unsure);
    }
    if (!mapper.unmap(page, left)) return false;
    parts_.store.seed(parts_.pool.capability(), frame, kAny);
    return true;
}

/// The page in `place` has lost its frame by force.
bool PagedRegion::forget(Mapper& mapper, u64 place, bool unsure) {
    const PageNumber page = page_in(parts_.places[place]);
    const Entry left = unsure ? kSpoilt : after_loss(mapper.entry(page));
    if (!mapper.unmap(page, left)) return false;
    ++counts_.lost;
    counts_.spoilt += left == kSpoilt;
    leave(place);
    return true;
}

/// Put out the page in `place`, and give its frame to the pool.
bool PagedRegion::vacate_place(Mapper& mapper, u64 place) {
    FrameNumber frame;
    if (!put_out(mapper, place, frame)) return false;
    if (frame.value == kAny) return true;
    leave(place);
    parts_.pool.give(frame);
    return true;
}

u64 PagedRegion::shrink(Mapper& mapper, u64 count, u64 keep) {
    const u64 before = resident_;
    const auto done = [&] { return before - resident_ >= count || resident_ <= keep; };
    for (u64 place = resident_; place-- > 0 && !done();)
        if (!mapper.entry(page_in(parts_.places[place])).has(Entry::kDirty) && !vacate_place(mapper, place)) break;
    while (!done())
        if (!vacate_place(mapper, parts_.eviction.choose(resident_, *this) % resident_)) break;
    return before - resident_;
}

u64 PagedRegion::vacate(Mapper& mapper, FrameNumber first, u64 count) {
    const u64 before = resident_;
    for (u64 place = resident_; place-- > 0;) {
        const Entry entry = mapper.entry(page_in(parts_.places[place]));
        if (entry.frame().value - first.value < count && !vacate_place(mapper, place)) break;
    }
    return before - resident_;
}

u64 PagedRegion::forget_lost(Mapper& mapper) {
    const u64 before = resident_;
    for (u64 place = resident_; place-- > 0;) {
        const FrameNumber frame = mapper.entry(page_in(parts_.places[place])).frame();
        if (!parts_.pool.holds(frame) && !forget(mapper, place)) break;
    }
    return before - resident_;
}

// A page that the S-TLB has lost was used since last asked, for all that is known. Lost still when asked again, it
// had its chance: else a small S-TLB, or the switch policy `none`, would make all pages look alike. What came in, or
// came back, was touched, though the bit does not say so: only from `clear_bits` on it tells every access.
bool PagedRegion::test_and_clear(u64 place) {
    if (!parts_.stlb) return false;
    PageNumber& held = parts_.places[place];
    const PageNumber page = page_in(held);
    const std::optional<bool> accessed = parts_.stlb.accessed(page);
    if (!accessed.has_value()) {
        const bool first_time = !(held.value & kLost);
        held = {page.value | kLost};
        return first_time;
    }
    const bool used = *accessed || held != page;
    held = page;
    if (used) static_cast<void>(enter_kernel<ClearBits>({PageSpan::make(page, 1), kAccessedBit, {}}));
    return used;
}

}  // namespace tessera::libos
