// What the simple regions do on a miss.
#include "libos/paging/regions.hpp"

#include <algorithm>
#include <cstring>

#include "libos/core/collisions.hpp"

namespace tessera::libos {

Outcome FlatRegion::open(const Capability& capability, FrameNumber frame, u64 flags) {
    flags_ = flags;
    const bool large = flags & static_cast<u64>(SpanFlag::large);
    const PageSpan span = PageSpan::make(first(), large ? count() / kPagesPerLarge : count(), rights_, flags);
    TRY(call<Bind>({address(capability), frame, span, {}, address(tlb_entry_)}));
    return Done{};
}

// Hot for a flat program under the switch policy `none`: one page, one call.
bool FlatRegion::on_miss(Mapper&, PageNumber page, u64 access) {
    if (!rights_.has(needed_for(access))) return false;
    const u64 flags = flags_ | span_flags_for(access);
    PageSpan span = PageSpan::make(page, 1, rights_, flags);
    if (flags & static_cast<u64>(SpanFlag::large))
        span = PageSpan::make(PageNumber{page.value & ~(kPagesPerLarge - 1)}, 1, rights_, flags);
    else if (rebind_ != 1 && !(access & kPin))
        span = PageSpan::make(page, std::min(rebind_, first() + count() - page), rights_, flags);
    return enter_kernel<Rebind>({address(tlb_entry_), span, {}}).error == Error::ok;
}

bool DemandZeroRegion::on_miss(Mapper& mapper, PageNumber page, u64 access) {
    if (!rights_.has(needed_for(access)) || mapper.entry(page).has(Entry::kResident)) return false;
    bool is_zero;
    const FrameNumber frame = pool_.take(is_zero);
    if (frame.value == kAny) return false;
    // A used frame is cleared through the page itself, so it has to be writable for that moment.
    const u64 dirty = is_zero && !is_write(access) ? 0 : Entry::kDirty;
    if (!mapper.map(page, Entry::make(frame, source_, is_zero ? rights_ : rights_ | Right::write, dirty))) {
        pool_.give(frame);
        return false;
    }
    if (is_zero) return true;
    std::memset(memory_of(page), 0, kPageSize);
    return rights_.has(Right::write) || mapper.map(page, Entry::make(frame, source_, rights_));
}

bool CopyOnWriteRegion::on_miss(Mapper& mapper, PageNumber page, u64 access) {
    const u64 offset = page - first();
    if (!is_write(access)) {
        if (access & static_cast<u64>(AccessKind::fetch)) return false;
        return mapper.map(page, Entry::make(original_.frame + offset, original_.source, Right::read));
    }
    const Entry before = mapper.entry(page);
    if (before.rights().has(Right::write)) return false;
    bool is_zero;
    const FrameNumber frame = pool_.take(is_zero);
    if (frame.value == kAny) return false;
    if (!mapper.map(page, Entry::make(frame, source_, Right::read | Right::write, Entry::kDirty))) {
        pool_.give(frame);
        return false;
    }
    copy_page(memory_of(page), memory_of(original_.page + offset));
    ++copies_;
    return true;
}

}  // namespace tessera::libos
