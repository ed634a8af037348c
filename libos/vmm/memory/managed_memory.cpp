#include "libos/vmm/memory/managed_memory.hpp"

namespace tessera::vmm {

// Whatever stands there; afterwards nothing does.
void ManagedMemory::let_go(u64 guest_frame, FrameUse use) {
    const GuestFrame entry = memory_.entry(guest_frame);
    switch (entry.use()) {
    case FrameUse::present:
        if (const auto frame = memory_.take(guest_frame, use)) memory_.supply().give(*frame);
        return;
    case FrameUse::shared: sharing_.drop(entry.frame()); break;
    case FrameUse::paged_out: pager_.forget(entry.number()); break;
    case FrameUse::absent:
    case FrameUse::ballooned: break;
    }
    memory_.vacate(guest_frame, use);
}

// Order: the map first, or a frame would go back that is still bound.
void ManagedMemory::page_given(u64 guest_frame) {
    const FrameUse before = memory_.entry(guest_frame).use();
    given_ += before == FrameUse::present;
    let_go(guest_frame, FrameUse::ballooned);
}

bool ManagedMemory::bring_back(u64 guest_frame, bool by_guest) {
    const Brought brought = pager_.bring_back(memory_, guest_frame, by_guest);
    if (brought == Brought::lost) owner_.page_lost(*this, guest_frame);
    return brought == Brought::back;
}

void ManagedMemory::show(u64 guest_frame, SuppliedFrame frame) {
    const GuestFrame before = memory_.entry(guest_frame);
    if (before.use() == FrameUse::shared && before.frame() == frame) return;
    let_go(guest_frame, FrameUse::absent);
    memory_.share(guest_frame, frame);
}

void ManagedMemory::close() {
    for (u64 i = 0; i < memory_.frames(); ++i)
        if (memory_.entry(i).use() != FrameUse::present) let_go(i, FrameUse::absent);
    memory_.close();
}

MemoryUse ManagedMemory::use() const {
    MemoryUse use{};
    u64* const counters[] = {&use.absent, &use.own, &use.shared, &use.paged_out, &use.ballooned};
    static_assert(static_cast<u64>(FrameUse::present) == 1 && static_cast<u64>(FrameUse::ballooned) == 4);
    for (u64 i = 0; i < memory_.frames(); ++i) ++*counters[static_cast<u64>(memory_.entry(i).use())];
    return use;
}

}  // namespace tessera::vmm
