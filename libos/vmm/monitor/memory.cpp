#include "libos/vmm/monitor/memory.hpp"

#include <algorithm>
#include <cstring>

#include "libos/core/collisions.hpp"
#include "libos/core/program.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

constexpr u64 chunk_of(u64 guest_frame) { return guest_frame & ~(kPagesPerLarge - 1); }

/// So many frames in a row are bound at once, where they are in a row.
constexpr u64 kAtOnce = 16;

}  // namespace

PageSpan Backing::span(PageNumber base, Rights rights, bool dirty) const {
    if (!writable) rights = rights.restricted_to(Right::read | Right::execute);
    const u64 flags = (large ? static_cast<u64>(SpanFlag::large) : 0) |
                      (dirty && writable ? static_cast<u64>(SpanFlag::dirty) : 0);
    return PageSpan::make(base + guest_frame, large ? 1 : count, rights, flags);
}

// A large binding stands in the S-TLB by its large page number, where it may displace a small page that the same
// instruction needs. As long as the S-TLB has an entry for each page that there is, none is displaced.
Memory::Memory(FrameSupply& supply, std::span<GuestFrame> map) : GuestMemory(map.size()), supply_(supply), map_(map) {
    Window::open(map.size() + 1, kPagesPerLarge);
    small_only_ = boot().stlb_entries < first().value + count();
}

void Memory::add_view(MemoryView& view) {
    for (MemoryView*& each : views_) {
        if (each != nullptr) continue;
        each = &view;
        return;
    }
}

// ---- Access -------------------------------------------------------------------------------------------------

std::byte* Memory::page(u64 guest_frame, bool write) {
    if (guest_frame >= frames()) return nullptr;
    const GuestFrame entry = map_[guest_frame];
    if (!(write ? entry.is_writable() : entry.is_backed()) && !back(guest_frame, write, false)) return nullptr;
    return memory() + (guest_frame << kPageShift);
}

std::optional<Backing> Memory::back(u64 guest_frame, bool write, bool by_guest) {
    if (guest_frame >= frames()) return {};
    GuestFrame& entry = map_[guest_frame];
    if (!entry.is_backed()) {
        const bool there = entry.use() == FrameUse::paged_out ? policy_ != nullptr && policy_->bring_back(guest_frame, by_guest)
                                                              : fill(guest_frame);
        if (!there || !entry.is_backed()) return {};
    }
    if (entry.use() == FrameUse::shared && has_lost(guest_frame)) return {};
    if (write && entry.use() == FrameUse::shared && !copy(guest_frame)) return {};
    if (write && entry.is_protected()) {
        entry = entry.with_protection(false);
        forget(guest_frame, 1);
        if (policy_ != nullptr) policy_->on_write(guest_frame);
    }
    return backing_of(guest_frame);
}

// That a frame is gone shows in the kernel's table, where its grant is another one.
bool Memory::has_lost(u64 guest_frame) {
    const SuppliedFrame frame = map_[guest_frame].frame();
    if (FrameSupply::is_loan(frame.run) && frame_info(frame.number).grant != supply_.capability(frame.run).grant) lost_ = true;
    return lost_;
}

// From the frame on, not around it: what was bound before stays as it is.
Backing Memory::backing_of(u64 guest_frame) const {
    const GuestFrame entry = map_[guest_frame];
    const SuppliedFrame frame = entry.frame();
    const Capability& capability = supply_.capability(frame.run);
    if (entry.is_large()) {
        const u64 chunk = chunk_of(guest_frame);
        return {&capability, FrameNumber{frame.number.value - (guest_frame - chunk)}, chunk, kPagesPerLarge, true, true};
    }
    const u64 end = std::min(frames(), guest_frame + kAtOnce);
    u64 count = 1;
    while (guest_frame + count < end) {
        const GuestFrame next = map_[guest_frame + count];
        if (next.is_large() || next.use() != entry.use() || next.is_writable() != entry.is_writable()) break;
        if (next.frame().run != frame.run || next.number() != entry.number() + count) break;
        ++count;
    }
    return {&capability, frame.number, guest_frame, count, entry.is_writable(), false};
}

// In a handler: what page() made sure of stands in the map; only the binding is missing.
[[TESSERA_RESOLVES_FAULTS]] bool Memory::bind(u64 index, u64 access) {
    const bool write = access & static_cast<u64>(AccessKind::write);
    if (index == frames()) {
        const PageSpan span = PageSpan::make(first() + index, 1, Right::read, access & kPin ? span_flags_for(kPin) : 0);
        return bind_frames(supply_.capability(scratch_.run), scratch_.number, span) || stand_in(scratch_.run, index, access);
    }
    const GuestFrame entry = map_[index];
    if (!entry.is_backed() || (write && !entry.is_writable())) return false;
    Backing backing = backing_of(index);
    if (backing.large && (small_only_ || access & kPin)) {
        backing = {backing.capability, entry.frame().number, index, 1, true, false};
    } else if (access & kPin) {
        backing.count = 1;
    }
    const PageSpan pages = backing.span(first(), Right::read | Right::write, write);
    return bind_frames(*backing.capability, backing.frame, PageSpan{pages.bits | span_flags_for(access & kPin)}) ||
           stand_in(entry.frame().run, index, access);
}

// What is borrowed can go at any moment, and a device may be in the middle of it: it goes on, and then the guest ends.
[[TESSERA_RESOLVES_FAULTS]] bool Memory::stand_in(u64 run, u64 index, u64 access) {
    if (!FrameSupply::is_loan(run)) return false;
    lost_ = true;
    const Capability& zeros = supply_.stand_in();
    return bind_frames(zeros, FrameNumber{zeros.first}, PageSpan::make(first() + index, 1, Right::read, span_flags_for(access & kPin)));
}

// ---- Filling --------------------------------------------------------------------------------------------------

Result<SuppliedFrame> Memory::take_frame() {
    for (;;) {
        const auto frame = supply_.take();
        if (frame.ok() || policy_ == nullptr || !policy_->make_room()) return frame;
    }
}

bool Memory::fill(u64 guest_frame) {
    if (fill_large(guest_frame)) return true;
    const auto frame = take_frame();
    if (!frame.ok()) return false;
    give(guest_frame, frame.value());
    return true;
}

bool Memory::fill_all() {
    for (u64 i = 0; i < frames(); ++i)
        if (map_[i].use() == FrameUse::absent && !fill(i)) return false;
    return true;
}

bool Memory::fill_large(u64 guest_frame) {
    const u64 chunk = chunk_of(guest_frame);
    if (large_over_ || chunk + kPagesPerLarge > frames()) return false;
    const auto entries = map_.subspan(chunk, kPagesPerLarge);
    if (!std::ranges::all_of(entries, [](GuestFrame each) { return each.use() == FrameUse::absent; })) return false;
    const auto run = supply_.take_run(kPagesPerLarge, kPagesPerLarge);
    if (!run.ok()) {
        large_over_ = true;
        return false;
    }
    for (u64 i = 0; i < kPagesPerLarge; ++i)
        entries[i] = GuestFrame::make(FrameUse::present, run.value().number.value + i, run.value().run).with_large(!single_);
    present_ += kPagesPerLarge;
    return true;
}

// The old frame is read through the window's last page, while the new one stands where the guest will see it.
bool Memory::copy(u64 guest_frame) {
    const auto frame = take_frame();
    if (!frame.ok()) return false;
    const SuppliedFrame was = map_[guest_frame].frame();
    forget(guest_frame, 1);
    scratch_ = was;
    map_[guest_frame] = GuestFrame::make(FrameUse::present, frame.value().number.value, frame.value().run);
    std::memcpy(memory() + (guest_frame << kPageShift), memory() + (frames() << kPageShift), kPageSize);
    static_cast<void>(call<Unbind>({PageSpan::make(first() + frames(), 1), {}}));
    ++present_;
    ++copies_;
    if (policy_ != nullptr) policy_->on_copy(guest_frame, was);
    return true;
}

// ---- For policies ---------------------------------------------------------------------------------------------

void unbind_frames(PageNumber base, u64 guest_frame, u64 count, VirtAddr context) {
    const PageNumber page = base + guest_frame;
    static_cast<void>(call<Unbind>({PageSpan::make(page, count), context}));
    if (count % kPagesPerLarge != 0) return;
    const PageSpan large = PageSpan::make(page, count / kPagesPerLarge).with(SpanFlag::large);
    static_cast<void>(call<Unbind>({large, context}));
}

void Memory::forget(u64 guest_frame, u64 count) {
    unbind_frames(first(), guest_frame, count, {});
    for (MemoryView* each : views_)
        if (each != nullptr) each->forget(guest_frame, count);
}

void Memory::hide(u64 guest_frame) {
    const bool large = map_[guest_frame].is_large();
    const u64 run = large ? kPagesPerLarge : kAtOnce;
    if ((guest_frame + 1) % run != 0 && guest_frame + 1 != frames()) return;
    unbind_frames(first(), guest_frame & ~(run - 1), run, {});
}

void Memory::use_single_frames() {
    if (single_) return;
    single_ = true;
    for (u64 chunk = 0; chunk < frames(); chunk += kPagesPerLarge) {
        if (!map_[chunk].is_large()) continue;
        for (GuestFrame& each : map_.subspan(chunk, kPagesPerLarge)) each = each.with_large(false);
        forget(chunk, kPagesPerLarge);
    }
}

std::optional<SuppliedFrame> Memory::take(u64 guest_frame, FrameUse use, u64 number) {
    if (guest_frame >= frames() || map_[guest_frame].use() != FrameUse::present) return {};
    use_single_frames();
    const SuppliedFrame frame = map_[guest_frame].frame();
    // Order: who looks for its bindings has to know which frame it was.
    forget(guest_frame, 1);
    map_[guest_frame] = GuestFrame::make(use, number);
    --present_;
    return frame;
}

void Memory::give(u64 guest_frame, SuppliedFrame frame) {
    map_[guest_frame] = GuestFrame::make(FrameUse::present, frame.number.value, frame.run);
    ++present_;
}

void Memory::share(u64 guest_frame, SuppliedFrame frame) {
    const auto own = take(guest_frame, FrameUse::absent);
    if (!own) forget(guest_frame, 1);  // it was shared, with another frame: as in `take`, while the map still says which
    map_[guest_frame] = GuestFrame::make(FrameUse::shared, frame.number.value, frame.run);
    if (own) supply_.give(*own);
}

void Memory::vacate(u64 guest_frame, FrameUse use) {
    const GuestFrame entry = map_[guest_frame];
    if (entry.use() == FrameUse::present) return;
    // Where nothing stands nothing is bound, and a balloon may be told of the same page again and again.
    if (entry.is_backed()) forget(guest_frame, 1);
    map_[guest_frame] = GuestFrame::make(use, 0);
}

void Memory::protect(u64 guest_frame) {
    if (map_[guest_frame].use() != FrameUse::present) return;
    use_single_frames();
    map_[guest_frame] = map_[guest_frame].with_protection(true);
    forget(guest_frame, 1);
}

void Memory::close() {
    for (u64 i = 0; i < frames();) {
        const GuestFrame entry = map_[i];
        const u64 count = entry.is_large() ? kPagesPerLarge : 1;
        for (GuestFrame& each : map_.subspan(i, count)) each = {};
        if (entry.use() == FrameUse::present) supply_.give(entry.frame(), count);
        if (entry.use() == FrameUse::shared) forget(i, 1);
        i += count;
    }
    present_ = 0;
    Window::close();
}

std::optional<u64> Memory::guest_frame_of(FrameNumber frame) const {
    for (u64 i = 0; i < frames(); ++i)
        if (map_[i].use() == FrameUse::present && map_[i].number() == frame.value) return i;
    return {};
}

}  // namespace tessera::vmm
