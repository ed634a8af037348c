#include "libos/vmm/monitor/shadow_contexts.hpp"

#include <algorithm>

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

/// Unbinding some pages, run by run and a batch of calls at a time.
class Unbinder {
  public:
    explicit Unbinder(VirtAddr context) : context_(context) {}
    Unbinder(const Unbinder&) = delete;
    Unbinder& operator=(const Unbinder&) = delete;
    ~Unbinder() {
        close_run();
        flush();
    }

    void add(PageNumber page) {
        if (run_ != 0 && page.value == first_.value + run_ && run_ < PageSpan::kMaxPages) {
            ++run_;
            return;
        }
        close_run();
        first_ = page;
        run_ = 1;
    }

  private:
    static constexpr u64 kCalls = 16;

    void close_run() {
        if (run_ == 0) return;
        calls_[count_++] = {Unbind::number, {PageSpan::make(first_, run_).bits, context_.value}, {}, 0};
        run_ = 0;
        if (count_ == kCalls) flush();
    }
    // A batch ends early when the slice does; then the rest is still to be made.
    void flush() {
        for (u64 done = 0; done < count_;) {
            const auto made = call<Batch>({address(calls_[done]), count_ - done});
            if (!made.ok() || made.value() == 0) break;
            done += made.value();
        }
        count_ = 0;
    }

    VirtAddr context_;
    PageNumber first_{};
    u64 run_ = 0, count_ = 0;
    BatchedCall calls_[kCalls];
};

}  // namespace

Outcome ShadowContexts::open(GuestCpu& cpu, u64 place) {
    TRY(contexts_[place].open(kind_, pages_));
    stlbs_[place].open_run(contexts_[place].stlb(), Right::read);
    touched_[place].open((stlbs_[place].count() << kPageShift) / sizeof(StlbEntry));
    TRY(cpu.load(place, contexts_[place].capability()));
    opened_[place] = true;
    return Done{};
}

Outcome ShadowContexts::close() {
    for (u64 place = 0; place < kMaxContexts; ++place)
        if (opened_[place]) TRY(contexts_[place].close());
    return Done{};
}

bool ShadowContexts::comes_again(const Miss& miss) {
    const bool known = std::ranges::find(recent_, miss) != recent_.end();
    recent_[misses_++ % kRecent] = miss;
    return known;
}

/// `page` is going to be guaranteed: the oldest of those that are makes room.
void ShadowContexts::pin(u64 place, PageNumber page) {
    Pins& pins = pins_[place];
    if (std::ranges::find(pins.page.begin(), pins.page.begin() + pins.used, page) != pins.page.begin() + pins.used) return;
    PageNumber& room = pins.page[pins.next++ % kPins];
    if (pins.used == kPins)
        static_cast<void>(call<Unbind>({PageSpan::make(room, 1), contexts_[place].capability()}));
    else
        ++pins.used;
    room = page;
}

// The S-TLB does not show them: where it is looked through, they go without having been looked at.
void ShadowContexts::unpin(u64 place) {
    for (const PageNumber page : std::span(pins_[place].page).first(pins_[place].used))
        static_cast<void>(call<Unbind>({PageSpan::make(page, 1), contexts_[place].capability()}));
    pins_[place] = {};
}

Outcome ShadowContexts::bind_span(u64 place, const Capability& capability, FrameNumber frame, PageSpan span) {
    bound_[place] = true;
    touched_[place].note(span.page().value, span.count());
    TRY(call<Bind>({address(capability), frame, span, contexts_[place].capability(), {}}));
    return Done{};
}

// Order: what stands behind the page first. Finding that may make everybody forget frames, and what is pinned with them; a page
// that is pinned already would then be bound guaranteed, and nobody would know.
bool ShadowContexts::bind(u64 place, const ShadowMapping& whole, bool write, u64 rip) {
    ShadowMapping mapping = whole;
    const auto backing = memory_.back(mapping.frame_of(mapping.page), write);
    if (!backing) return false;
    const bool pinned = comes_again({place, rip, mapping.page, write});
    if (pinned) {
        pin(place, mapping.page);
        mapping = {whole.root, whole.page, whole.page, whole.frame_of(whole.page), 1, whole.write, whole.execute, whole.user};
    }
    // Both are runs of guest frames with the one that is needed in them.
    const u64 first = std::max(mapping.guest_frame, backing->guest_frame);
    const u64 end = std::min(mapping.guest_frame + mapping.count, backing->guest_frame + backing->count);
    Rights rights = Right::read;
    if (mapping.write && backing->writable) rights = rights | Right::write;
    if (mapping.execute) rights = rights | Right::execute;
    u64 flags = (write ? static_cast<u64>(SpanFlag::dirty) : 0) | (pinned ? static_cast<u64>(SpanFlag::guaranteed) : 0);
    if (kind_ == ContextKind::shadow && !mapping.user) flags |= static_cast<u64>(SpanFlag::supervisor);
    const PageSpan span = PageSpan::make(mapping.first + (first - mapping.guest_frame), end - first, rights, flags);
    const FrameNumber frame = backing->frame + (first - backing->guest_frame);
    return bind_span(place, *backing->capability, frame, span).ok();
}

bool ShadowContexts::bind_own(u64 place, const Own& own, bool write, u64 rip) {
    const bool pinned = comes_again({place, rip, own.page, write});
    if (pinned) pin(place, own.page);
    u64 flags = own.rights.has(Right::write) ? static_cast<u64>(SpanFlag::dirty) : 0;
    if (pinned) flags |= static_cast<u64>(SpanFlag::guaranteed);
    const u64 index = pinned ? own.page - own.first : 0;
    const PageSpan span = PageSpan::make(own.first + index, pinned ? 1 : own.count, own.rights, flags);
    return bind_span(place, own.capability, own.frame + index, span).ok();
}

/// Drop the bindings for which `which` says so. The table is the kernel's, which changes it only when we call.
template <class Which>
void ShadowContexts::forget_entries(u64 place, Which&& which) {
    const StlbEntry* entries = entries_of(place);
    unpin(place);
    Unbinder unbinder(contexts_[place].capability());
    bound_[place] = touched_[place].for_each([&](u64 i) {
        const bool live = is_live(entries[i].tag);
        if (live && which(entries[i])) unbinder.add(page_in(entries[i].tag));
        return live;
    });
}

/// Drop what is bound of these pages: mostly little.
void ShadowContexts::forget_pages(u64 place, PageNumber page, u64 count) {
    const StlbEntry* entries = entries_of(place);
    const auto is_one = [&](PageNumber each) { return each.value - page.value < count; };
    if (std::ranges::any_of(std::span(pins_[place].page).first(pins_[place].used), is_one)) unpin(place);
    Unbinder unbinder(contexts_[place].capability());
    touched_[place].for_pages(page.value, count, [&](u64 i) {
        const bool live = is_live(entries[i].tag);
        if (live && is_one(page_in(entries[i].tag))) unbinder.add(page_in(entries[i].tag));
        return live;
    });
}

/// One look instead of a call: in the S-TLB a page has one entry, and pins are known.
bool ShadowContexts::may_be_bound(u64 place, PageNumber page) const {
    const u64 count = (stlbs_[place].count() << kPageShift) / sizeof(StlbEntry);
    const auto pinned = std::span(pins_[place].page).first(pins_[place].used);
    return entries_of(place)[page.value % count].tag == page.value || std::ranges::find(pinned, page) != pinned.end();
}

void ShadowContexts::forget(u32 root, PageNumber page, u64 count) {
    for (u64 place = root * contexts_per_root(), i = 0; i < contexts_per_root(); ++i, ++place) {
        if (!bound_[place]) continue;
        if (count != 1)
            forget_pages(place, page, count);
        else if (may_be_bound(place, page))
            static_cast<void>(call<Unbind>({PageSpan::make(page, 1), contexts_[place].capability()}));
    }
}

void ShadowContexts::forget_root(u32 root) {
    for (u64 place = root * contexts_per_root(), i = 0; i < contexts_per_root(); ++i, ++place) {
        if (bound_[place]) forget_entries(place, [](const StlbEntry&) { return true; });
        bound_[place] = false;
    }
}

void ShadowContexts::forget_frame(u64 guest_frame) { forget_frames(guest_frame, 1); }

void ShadowContexts::forget_frames(u64 guest_frame, u64 count) {
    for (const u64 end = guest_frame + count; guest_frame < end;) {
        // As many as stand in a row are looked for together.
        const GuestFrame first = memory_.entry(guest_frame);
        u64 run = 1;
        while (guest_frame + run < end && memory_.entry(guest_frame + run).is_backed() &&
               memory_.entry(guest_frame + run).number() == first.number() + run)
            ++run;
        guest_frame += run;
        if (!first.is_backed()) continue;
        for (u64 place = 0; place < kMaxContexts; ++place)
            if (bound_[place])
                forget_entries(place, [&](const StlbEntry& each) { return frame_in(each.pte).value - first.number() < run; });
    }
}

}  // namespace tessera::vmm
