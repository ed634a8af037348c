// What the givers of the house do.
#include "libos/revocation/givers.hpp"

#include <algorithm>

namespace tessera::libos {

Outcome RegionGiver::open() {
    spare_frame_ = TRY(call<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(spare_)}));
    static_cast<void>(call<Reserve>({address(spare_), spare_frame_, 1, 1}));
    return Done{};
}

u64 RegionGiver::give(u64 count) {
    region_.shrink(mapper_, count, keep_);
    return region_.parts().pool.release(count);
}

u64 RegionGiver::give_named(u64 first, u64 count) {
    region_.vacate(mapper_, FrameNumber{first}, count);
    return region_.parts().pool.release_named(FrameNumber{first}, count);
}

// Where the bytes were saved is as good as where they were: whoever copies the page out finds them there. A page whose bytes
// are gone gets any frame, so that the handler comes to its end; what it did with that does not count (PagedRegion).
bool RegionGiver::stand_in(VirtAddr address_touched) {
    const PageNumber page = page_of(address_touched);
    if (!region_.contains(page)) return false;
    const Entry entry = mapper_.entry(page);
    if (!entry.has(Entry::kResident) || region_.parts().pool.holds(entry.frame())) return false;
    const PageSpan span = PageSpan::make(page, 1, Right::read | Right::write);
    const std::optional<Saved> saved = find_saved(entry.frame());
    if (saved && saved->kind == AutosaveKind::copy && saved_under_ != nullptr)
        return enter_kernel<Bind>({address(*saved_under_), saved->frame, span, {}, {}}).error == Error::ok;
    if (spare_frame_.value == kAny) return false;
    return enter_kernel<Bind>({address(spare_), spare_frame_, span, {}, {}}).error == Error::ok;
}

bool SlotGiver::release(u64 index) {
    if (index == 0 || slots_[index].kind != ResourceKind::slots || released_ >> index & 1) return false;
    const auto done = call<SlotRelease>({address(slots_[index]), SlotNumber{slots_[index].first}, slots_[index].count});
    if (done.ok() || done.error() == Error::stale_capability) released_ |= u64{1} << index;
    return done.ok();
}

u64 SlotGiver::give(u64 count) {
    u64 given = 0;
    for (u64 i = slots_.size(); i-- > 0 && given < count;) given += release(i) ? slots_[i].count : 0;
    return given;
}

u64 SlotGiver::give_named(u64 first, u64 count) {
    u64 given = 0;
    for (u64 i = 0; i < slots_.size(); ++i)
        if (slots_[i].first - first < count) given += release(i) ? slots_[i].count : 0;
    return given;
}

}  // namespace tessera::libos
