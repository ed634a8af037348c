#include "libos/vmm/monitor/paravirt_shadows.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

constexpr u64 kFlags = static_cast<u64>(SpanFlag::guaranteed) | static_cast<u64>(SpanFlag::dirty);

}  // namespace

// ---- one context ----------------------------------------------------------------------------------------------------

Outcome ShadowContext::open(u64 pages) {
    entries_ = std::bit_ceil(pages);  // As GuestContext makes it.
    return context_.open(ContextKind::deprivileged, pages);
}

void ShadowContext::remember(u64 first, u64 count) {
    // Next to the last one, or near enough: what is unbound without being bound is passed over.
    constexpr u64 kNear = 16;
    if (count_ != 0) {
        Run& last = runs_[count_ - 1];
        // And no more than one call unbinds.
        if (first >= last.first && first <= last.first + last.count + kNear && first + count - last.first <= PageSpan::kMaxPages) {
            last.count = std::max(last.count, first + count - last.first);
            return;
        }
    }
    if (count_ == kMostRuns) clear();  // They come back as they are needed.
    runs_[count_++] = {first, count};
}

/// Would it displace what the same instruction may need?
bool ShadowContext::displaces(u64 page, u64 code) const {
    const auto collide = [&](u64 other) { return other != page && (other - page) % entries_ == 0; };
    // An instruction may lie on two pages.
    return collide(code) || collide(code + 1) || std::ranges::any_of(recent_, collide);
}

void ShadowContext::make_room_for_pin(u64 page) {
    if (std::ranges::find(pins_, page) != pins_.end()) return;
    u64& oldest = pins_[pinned_++ % kPins];
    if (oldest != 0) unbind(PageNumber{oldest}, 1);
    oldest = page;
}

Outcome ShadowContext::bind(const Capability& frames, FrameNumber first, PageSpan span, PageNumber code) {
    const u64 page = span.page().value;
    const bool pinned = displaces(page, code.value);
    u64 count = 1;
    while (!pinned && count < span.count() && !displaces(page + count, code.value)) ++count;
    recent_[faults_++ % kRecent] = page;
    // Order: where there are too many runs all is unbound, and nothing is pinned any more.
    remember(page, count);
    if (pinned) {
        make_room_for_pin(page);
        span = span.with(SpanFlag::guaranteed);
    }
    const PageSpan part = PageSpan::make(PageNumber{page}, count, span.rights(), span.bits & kFlags);
    TRY(call<Bind>({address(frames), first, part, context_.capability(), {}}));
    return Done{};
}

void ShadowContext::unbind(PageNumber first, u64 count) {
    static_cast<void>(call<Unbind>({PageSpan::make(first, count), context_.capability()}));
}

void ShadowContext::clear() {
    for (const Run& run : std::span(runs_).first(count_)) unbind(PageNumber{run.first}, run.count);
    count_ = 0;
    pins_ = {};
}

// ---- the guest's ----------------------------------------------------------------------------------------------------

Outcome ParavirtShadows::open() {
    TRY(kernel_.open(std::min(kKernelPages, memory_.frames())));
    for (Space& space : spaces_) TRY(space.context.open(kSpacePages));
    memory_.add_view(*this);
    if (lent_ != nullptr) lent_->set_view(*this);
    return Done{};
}

Outcome ParavirtShadows::close() {
    TRY(kernel_.close());
    for (Space& space : spaces_) TRY(space.context.close());
    return Done{};
}

Outcome ParavirtShadows::attach(GuestCpu& cpu) {
    TRY(cpu.load(0, kernel_.capability()));
    for (u64 i = 0; i < kSpaces; ++i) TRY(cpu.load(i + 1, spaces_[i].context.capability()));
    return Done{};
}

ParavirtShadows::Space* ParavirtShadows::find(u64 root) {
    const auto found = std::ranges::find(spaces_, root, &Space::root);
    return found != spaces_.end() ? found : nullptr;
}

u64 ParavirtShadows::place_of(u64 root) {
    if (spaces_[last_].root == root) [[likely]]
        return last_ + 1;
    Space* space = find(root);
    if (space == nullptr) {
        space = std::ranges::min_element(spaces_, {}, &Space::used);
        evictions_ += space->root != 0;
        space->context.clear();
        space->root = root;
    }
    space->used = ++uses_;
    last_ = static_cast<u64>(space - spaces_.data());
    return last_ + 1;
}

Handled ParavirtShadows::on_exit(GuestCpu& cpu, GuestExit exit) {
    constexpr auto kFault = static_cast<GuestExit>(static_cast<u64>(GuestExit::exception) + vector::kPageFault);
    if (exit != kFault) return Handled::no;
    GuestState& state = cpu.state();
    const PageNumber page = page_of(VirtAddr{state.info[1]}), code = page_of(VirtAddr{state.rip});
    const bool write = state.info[0] & static_cast<u64>(AccessKind::write);
    paravirt::Translation translation;
    if (lent_ != nullptr && !guest_.user_mode() && map_lent(page, code, write)) return Handled::done;
    if (!guest_.find_page(state.info[1], state.info[0], translation)) return Handled::no;
    return map(place(cpu), page, code, translation, write) ? Handled::done : Handled::refused;
}

bool ParavirtShadows::map(u64 place, PageNumber page, PageNumber code, const paravirt::Translation& translation, bool write) {
    const auto backing = memory_.back(translation.frame, write);
    if (!backing) return false;
    ++fills_;
    const u64 offset = translation.frame - backing->guest_frame;
    const bool writable = translation.writable && backing->writable;
    Rights rights = Right::read;
    if (translation.executable) rights = rights | Right::execute;
    if (writable) rights = rights | Right::write;
    u64 count = 1;
    if (place == 0 && writable) {
        // The kernel's memory lies in runs, but for the tables in it.
        const u64 most = std::min(backing->count - offset, kAtOnce);
        while (count < most && !guest_.tables().is_table(translation.frame + count)) ++count;
    }
    PageSpan span = PageSpan::make(page, count, rights);
    if (writable && write) span = span.with(SpanFlag::dirty);
    ShadowContext& context = place == 0 ? kernel_ : spaces_[place - 1].context;
    return context.bind(*backing->capability, FrameNumber{backing->frame.value + offset}, span, code).ok();
}

/// A page that was lent to the guest, who has a frame there that was not bound yet, or that was taken away. False: it has none.
bool ParavirtShadows::map_lent(PageNumber page, PageNumber code, bool write) {
    if (page.value < memory_.frames()) return false;
    const auto bind = [&](const LentPages::Frame& frame) {
        const Rights rights = frame.writable ? Right::read | Right::write : Rights{Right::read};
        const PageSpan span = PageSpan::make(page, 1, rights, write ? static_cast<u64>(SpanFlag::dirty) : 0);
        return kernel_.bind(*frame.capability, FrameNumber{frame.capability->first}, span, code).ok();
    };
    const LentPages::Frame frame = lent_->frame_at(page.value - memory_.frames());
    if (frame.capability == nullptr || (write && !frame.writable)) return false;
    ++fills_;
    return bind(frame) || bind(lent_->stand_in());
}

void ParavirtShadows::page_changed(u64 root, PageNumber page) {
    if (changed_.count != 0 && changed_.root == root && changed_.first + changed_.count == page.value) {
        ++changed_.count;
        return;
    }
    if (changed_.count != 0) follow_changed();
    changed_ = {root, page.value, 1};
}

void ParavirtShadows::follow_changed() {
    const Changed changed = std::exchange(changed_, {});
    Space* space = find(changed.root);
    if (space == nullptr) return;
    // One page is what a fault was about: the guest is about to touch it, and need not fault again.
    const PageNumber page{changed.first};
    paravirt::Translation translation;
    const u64 place = static_cast<u64>(space - spaces_.data()) + 1;
    if (changed.count == 1 && guest_.tables().walk(changed.root, address_of(page).value, translation) && translation.user &&
        map(place, page, page, translation, translation.writable))
        return;
    space->context.unbind(page, changed.count);
}

void ParavirtShadows::tables_changed() {
    for (Space& space : spaces_) space.context.clear();
}

void ParavirtShadows::root_gone(u64 root) {
    if (Space* space = find(root); space != nullptr) {
        space->context.clear();
        space->root = 0;
        space->used = 0;
    }
}

void ParavirtShadows::forget(u64 guest_frame, u64 count) {
    forget_in_kernel(guest_frame, count);
    tables_changed();  // Who has it where is not known.
}

}  // namespace tessera::vmm
