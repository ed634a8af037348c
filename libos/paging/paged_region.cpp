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
constexpr PageNumber page_in(PageNumber held) { return {held.value & ~(kLost | kFresh)}; }

}  // namespace

bool PagedRegion::on_miss(Mapper& mapper, PageNumber page, u64 access) {
    if (access & static_cast<u64>(AccessKind::fetch)) return false;
    ++counts_.faults;
    const Entry entry = mapper.entry(page);
    if (!entry.has(Entry::kResident)) return fill(mapper, page, access);
    if (!is_write(access) || entry.rights().has(Right::write)) return false;
    ++counts_.upgrades;
    return mapper.map(page, Entry{entry.word | kReadWrite.bits | Entry::kDirty});
}

// While it is being filled the page is bound writable; what the table then says is what it is bound as.
bool PagedRegion::fill(Mapper& mapper, PageNumber page, u64 access) {
    const bool stored = mapper.entry(page).has(Entry::kStored);
    u64 place = resident_;
    FrameNumber frame;
    bool is_zero = false;
    if (resident_ < parts_.places.size()) {
        frame = parts_.pool.take(is_zero);
        if (frame.value == kAny) return false;
        ++resident_;
    } else if (!evict(mapper, place, frame)) {
        return false;
    }
    parts_.places[place] = {page.value | kFresh};
    const u64 flags = stored ? Entry::kStored : 0;
    const bool needs_filling = stored || !is_zero;
    if (needs_filling) {
        if (!mapper.map(page, Entry::make(frame, parts_.source, kReadWrite, flags | Entry::kDirty))) return false;
        if (stored) {
            if (!parts_.store.read(page - first(), memory_of(page))) return false;
            ++counts_.reads;
        } else {
            std::memset(memory_of(page), 0, kPageSize);
        }
    }
    counts_.zero_fills += !stored;
    parts_.eviction.on_filled(place);
    if (is_write(access))
        return needs_filling || mapper.map(page, Entry::make(frame, parts_.source, kReadWrite, flags | Entry::kDirty));
    return mapper.map(page, Entry::make(frame, parts_.source, Right::read, flags));
}

// Order: the contents are safe before the page loses its frame. A page that was only read and has a copy, or
// that was never written, needs no writing out.
bool PagedRegion::evict(Mapper& mapper, u64& place, FrameNumber& frame) {
    place = parts_.eviction.choose(parts_.places.size(), *this) % parts_.places.size();
    const PageNumber page = page_in(parts_.places[place]);
    const Entry entry = mapper.entry(page);
    frame = entry.frame();
    bool stored = entry.has(Entry::kStored);
    if (entry.has(Entry::kDirty)) {
        if (!parts_.store.write(page - first(), memory_of(page))) return false;
        ++counts_.writes;
        stored = true;
    }
    ++counts_.evictions;
    return mapper.unmap(page, stored ? Entry{Entry::kStored} : Entry{});
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
