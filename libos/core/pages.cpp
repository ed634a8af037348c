// Addresses are plentiful: they are handed out in order and never come back.
#include "libos/core/pages.hpp"

#include "libos/core/program.hpp"

extern "C" char libos_image_end[];

namespace tessera::libos {

static constinit u64 next_page = 0;

PageNumber reserve_pages(u64 count, u64 alignment) {
    if (next_page == 0) next_page = reinterpret_cast<u64>(libos_image_end) >> kPageShift;
    const u64 first = (next_page + alignment - 1) & ~(alignment - 1);
    next_page = first + count;
    return PageNumber{first};
}

Result<PageNumber> map_guaranteed(u64 count, Capability& capability) {
    const FrameNumber frame = TRY(call<FrameAlloc>({FrameNumber{kAny}, count, 1, address(capability)}));
    const PageNumber page = reserve_pages(count);
    const PageSpan span = PageSpan::make(page, count, Right::read | Right::write).with(SpanFlag::guaranteed);
    TRY(call<Bind>({address(capability), frame, span, {}, {}}));
    return page;
}

Result<PageNumber> map_stlb() {
    const BootInfo& info = boot();
    const u64 count = (info.stlb_entries + kStlbEntriesPerFrame - 1) / kStlbEntriesPerFrame;
    const PageNumber page = reserve_pages(count);
    const PageSpan span = PageSpan::make(page, count, Right::read).with(SpanFlag::guaranteed);
    TRY(call<Bind>({address(info.stlb), FrameNumber{info.stlb.first}, span, {}, {}}));
    return page;
}

}  // namespace tessera::libos
