// Addresses are plentiful: they are handed out in order and never come back.
#include "libos/core/pages.hpp"

#include "libos/core/program.hpp"

extern "C" char libos_text[], libos_rodata[], libos_data[], libos_image_end[];

namespace tessera::libos {

static constinit u64 next_page = 0;

PageNumber reserve_pages(u64 count, u64 alignment) {
    u64 nothing = 0;
    __atomic_compare_exchange_n(&next_page, &nothing, reinterpret_cast<u64>(libos_image_end) >> kPageShift, false, __ATOMIC_RELAXED,
                                __ATOMIC_RELAXED);
    return PageNumber{take_in_order(next_page, count, alignment)};
}

Result<PageNumber> map_guaranteed(u64 count, Capability& capability) {
    const FrameNumber frame = TRY(call<FrameAlloc>({FrameNumber{kAny}, count, 1, address(capability)}));
    const PageNumber page = reserve_pages(count);
    const PageSpan span = PageSpan::make(page, count, Right::read | Right::write).with(SpanFlag::guaranteed);
    TRY(call<Bind>({address(capability), frame, span, {}, {}}));
    return page;
}

static Outcome pin(const char* from, const char* to, Rights rights) {
    const BootInfo& info = boot();
    const PageNumber page = page_of(VirtAddr{reinterpret_cast<u64>(from)});
    const u64 count = static_cast<u64>(to - from) >> kPageShift;
    if (count == 0) return Done{};
    const PageSpan span = PageSpan::make(page, count, rights).with(SpanFlag::guaranteed);
    TRY(call<Bind>({address(info.image), info.image_frame + (page - info.image_page), span, {}, {}}));
    return Done{};
}

Outcome pin_image() {
    TRY(pin(libos_text, libos_rodata, Right::read | Right::execute));
    TRY(pin(libos_rodata, libos_data, Right::read));
    return pin(libos_data, libos_image_end, Right::read | Right::write);
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
