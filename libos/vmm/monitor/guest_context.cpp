#include "libos/vmm/monitor/guest_context.hpp"

#include <algorithm>
#include <bit>

namespace tessera::vmm {

using namespace tessera::libos;

Outcome GuestContext::open(ContextKind kind, u64 pages) {
    constexpr u64 kFewest = 128, kMost = 65536, kGuaranteed = 16, kLeastTables = 32, kMostTables = 512;
    ContextSpec spec{};
    spec.frames = address(frames_);
    spec.stlb = std::clamp(std::bit_ceil(pages), kFewest, kMost);
    spec.guaranteed = kGuaranteed;
    // A table for every 512 pages, and the levels above.
    spec.tables = std::min(kLeastTables + spec.stlb / kPagesPerLarge, kMostTables);
    spec.kind = kind;
    const u64 count = spec.frames_needed();
    TRY(call<FrameAlloc>({FrameNumber{kAny}, count, 1, address(frames_)}));
    const auto made = call<ContextCreate>({address(spec), address(grant_)});
    if (made.ok()) return Done{};
    static_cast<void>(call<FrameRelease>({address(frames_), FrameNumber{frames_.first}, count}));
    return made.failure();
}

// Its frames are free then, and not ours any more.
Outcome GuestContext::close() {
    TRY(call<ContextDestroy>({address(grant_.context)}));
    return Done{};
}

}  // namespace tessera::vmm
