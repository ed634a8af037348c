#include "libos/vmm/monitor/windows.hpp"

#include <algorithm>
#include <span>

#include "libos/core/collisions.hpp"
#include "libos/core/pages.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

/// So many pages of a run are bound at once: a file is read from one end to the other.
constexpr u64 kAtOnce = 64;

// Guaranteed, as it is looked at for every fault: whatever else the handler needs may fault in turn, and is found here.
// Addresses never go back; without a window they wait for another one of that size.
struct Entry {
    PageNumber first;
    u64 count;
    Window* window;
};
constexpr u64 kMostWindows = 64;
[[gnu::section(".guaranteed.bss.windows")]] Entry entries[kMostWindows];
[[gnu::section(".guaranteed.bss.windows")]] u64 entry_count;

Entry* find_closed(u64 count, u64 alignment) {
    for (Entry& each : std::span(entries, entry_count))
        if (each.window == nullptr && each.count == count && each.first.value % alignment == 0) return &each;
    return nullptr;
}

}  // namespace

// A window beyond the last is one whose faults nobody resolves: the first of them says so.
void Window::open(u64 count, u64 alignment) {
    Entry* place = find_closed(count, alignment);
    if (place == nullptr) {
        if (entry_count == 0) set_fault_policy(bind_in_windows);
        const PageNumber first = reserve_pages(count, alignment);
        place = entry_count != kMostWindows ? &entries[entry_count++] : nullptr;
        if (place != nullptr) *place = {first, count, nullptr};
        first_ = first;
    } else {
        first_ = place->first;
    }
    count_ = count;
    if (place != nullptr) place->window = this;
}

void Window::close() {
    for (Entry& each : std::span(entries, entry_count))
        if (each.window == this) each.window = nullptr;
}

[[TESSERA_RESOLVES_FAULTS]] bool bind_in_windows(VirtAddr address, u64 access) {
    const PageNumber page = page_of(address);
    for (u64 i = 0; i < entry_count; ++i)
        if (page.value - entries[i].first.value < entries[i].count)
            return entries[i].window != nullptr && entries[i].window->bind(page - entries[i].first, access);
    return false;
}

[[TESSERA_RESOLVES_FAULTS]] bool bind_frames(const Capability& capability, FrameNumber frame, PageSpan span) {
    constexpr u64 kPages = 3;  // that a capability may lie in, and one more try
    for (u64 i = 0; i < kPages; ++i) {
        const Answer answer = enter_kernel<Bind>({address(capability), frame, span, {}, {}});
        if (answer.error == Error::ok) return true;
        if (answer.error != Error::not_mapped || !make_bound(VirtAddr{answer.value}, 0)) return false;
    }
    return false;
}

Outcome RunWindow::take(u64 count) {
    TRY(call<FrameAlloc>({FrameNumber{kAny}, count, 1, address(capability_)}));
    rights_ = Right::read | Right::write;
    open(count);
    return Done{};
}

Outcome RunWindow::close() {
    Window::close();
    TRY(call<FrameRelease>({address(capability_), FrameNumber{capability_.first}, capability_.count}));
    return Done{};
}

void RunWindow::open_run(const Capability& capability, Rights rights) {
    capability_ = capability;
    rights_ = rights;
    open(capability.count);
}

[[TESSERA_RESOLVES_FAULTS]] bool RunWindow::bind(u64 index, u64 access) {
    if (access & static_cast<u64>(AccessKind::write) && !rights_.has(Right::write)) return false;
    const u64 pages = access & kPin ? 1 : std::min(kAtOnce, count() - index);
    const PageSpan span = PageSpan::make(first() + index, pages, rights_, span_flags_for(access));
    return bind_frames(capability_, FrameNumber{capability_.first + index}, span);
}

}  // namespace tessera::vmm
