#include "libos/vmm/memory/guest_pager.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {
constexpr u64 pages_for(u64 bytes) { return (bytes + kPageSize - 1) / kPageSize; }
}  // namespace

Outcome GuestPager::open_slots(u64 slots) {
    TRY(link_memory_.take(pages_for(slots * sizeof(u32))));
    slots_ = PageSlots({reinterpret_cast<u32*>(link_memory_.memory()), slots});
    return Done{};
}

Outcome GuestPager::open_squeezed(u64 slots, u64 frames) {
    using Unit = SqueezingStore::Unit;
    TRY(head_memory_.take(pages_for(slots * sizeof(u32))));
    TRY(unit_memory_.take(frames));
    TRY(open_slots(slots));
    squeezed_.emplace(std::span(reinterpret_cast<Unit*>(unit_memory_.memory()), frames * kPageSize / sizeof(Unit)),
                      std::span(reinterpret_cast<u32*>(head_memory_.memory()), slots));
    store_ = &*squeezed_;
    return Done{};
}

Outcome GuestPager::open_lent(const Capability& frames) {
    TRY(open_slots(frames.count));
    TRY(lent_.emplace().open(frames));
    store_ = &*lent_;
    return Done{};
}

Outcome GuestPager::close() {
    if (!is_open()) return Done{};
    TRY(link_memory_.close());
    if (lent_) return lent_->close();
    TRY(head_memory_.close());
    return unit_memory_.close();
}

// Order: nobody writes it behind `protect`; then the bytes are put away, then the frame goes.
bool GuestPager::page_out(Memory& memory, u64 guest_frame) {
    if (!is_open() || memory.entry(guest_frame).use() != FrameUse::present) return false;
    const auto slot = slots_.take();
    if (!slot) return ++counts_.refused, false;
    memory.protect(guest_frame);
    if (!store_->write(*slot, memory.page(guest_frame, false))) {
        slots_.give_back(*slot);
        return ++counts_.refused, false;
    }
    supply_.give(*memory.take(guest_frame, FrameUse::paged_out, *slot));
    ++counts_.out;
    return true;
}

// The page is the store's as long as its slot is taken: so first the frame, whose finding may put others out.
Brought GuestPager::bring_back(Memory& memory, u64 guest_frame, bool by_guest) {
    const u64 slot = memory.entry(guest_frame).number();
    const auto frame = memory.take_frame();
    if (!frame.ok()) return Brought::no_frame;
    memory.give(guest_frame, frame.value());
    if (!store_->read(slot, memory.page(guest_frame, true))) {
        supply_.give(*memory.take(guest_frame, FrameUse::paged_out, slot));
        ++counts_.lost;
        return Brought::lost;
    }
    slots_.give_back(slot);
    ++counts_.in;
    counts_.in_for_others += !by_guest;
    return Brought::back;
}

}  // namespace tessera::vmm
