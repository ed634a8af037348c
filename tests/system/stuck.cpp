// Two pages that displace each other, and one instruction that needs both: where there is room for a guaranteed mapping, one is
// pinned, and it gets on. With `full=1` there is none: then what needs one page after the other gets on all the same, and
// what needs both ends the program in words, not standing still.
#include "libos/core/collisions.hpp"
#include "libos/core/libos.hpp"
#include "libos/core/pages.hpp"
#include "libos/paging/region.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

Capability frames;
PageNumber first;

bool bind_one(VirtAddr address_touched, u64 access) {
    const u64 index = page_of(address_touched) - first;
    if (index % boot().stlb_entries != 0 || index > boot().stlb_entries) return false;
    const PageSpan span = PageSpan::make(first + index, 1, Right::read | Right::write, span_flags_for(access & kPin));
    return enter_kernel<Bind>({address(frames), FrameNumber{frames.first + (index != 0)}, span, {}, {}}).error == Error::ok;
}

/// Every set of guaranteed mappings is full behind this.
void fill_guaranteed() {
    static Capability each[1024];
    for (u64 i = 0; i < boot().guaranteed_entries; ++i) static_cast<void>(map_guaranteed(1, each[i]));
}

}  // namespace

int libos_main() {
    if (argument("full", 0) != 0) fill_guaranteed();
    first = reserve_pages(boot().stlb_entries + 1, boot().stlb_entries);
    set_fault_policy(bind_one);
    if (!call<FrameAlloc>({FrameNumber{kAny}, 2, 1, address(frames)}).ok()) return 1;
    volatile u64* const words[2] = {static_cast<u64*>(memory_of(first)), static_cast<u64*>(memory_of(first + boot().stlb_entries))};

    // One instruction, by turns on either page: each time something is done.
    constexpr u64 kTimes = 40'000;
    for (u64 i = 0; i < kTimes; ++i) *words[i % 2] = *words[i % 2] + 1;
    if (*words[0] != kTimes / 2 || *words[1] != kTimes / 2) return print("WRONG sums\n"), 1;
    print("one after the other: right\n");

    u64 from = reinterpret_cast<u64>(words[0]), to = reinterpret_cast<u64>(words[1]);
    asm volatile("movsq" : "+S"(from), "+D"(to) : : "memory");
    if (*words[1] != *words[0]) return print("WRONG copy\n"), 1;
    print("both at once: right\n");
    return 0;
}
