#include "libos/vmm/monitor/windows.hpp"

#include <algorithm>

#include "libos/core/collisions.hpp"
#include "libos/core/pages.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

constinit Window* windows = nullptr;

/// So many pages of a run are bound at once: a file is read from one end to the other.
constexpr u64 kAtOnce = 64;

}  // namespace

void Window::open(u64 count, u64 alignment) {
    first_ = reserve_pages(count, alignment);
    count_ = count;
    next_ = windows;
    if (windows == nullptr) set_fault_policy(bind_in_windows);
    windows = this;
}

bool bind_in_windows(VirtAddr address, u64 access) {
    const PageNumber page = page_of(address);
    for (Window* each = windows; each != nullptr; each = each->next_)
        if (page.value - each->first_.value < each->count_) return each->bind(page - each->first_, access);
    return false;
}

Outcome RunWindow::take(u64 count) {
    TRY(call<FrameAlloc>({FrameNumber{kAny}, count, 1, address(capability_)}));
    rights_ = Right::read | Right::write;
    open(count);
    return Done{};
}

Outcome RunWindow::close() {
    TRY(call<FrameRelease>({address(capability_), FrameNumber{capability_.first}, capability_.count}));
    return Done{};
}

void RunWindow::open_run(const Capability& capability, Rights rights) {
    capability_ = capability;
    rights_ = rights;
    open(capability.count);
}

bool RunWindow::bind(u64 index, u64 access) {
    if (access & static_cast<u64>(AccessKind::write) && !rights_.has(Right::write)) return false;
    const u64 pages = access & kPin ? 1 : std::min(kAtOnce, count() - index);
    const PageSpan span = PageSpan::make(first() + index, pages, rights_, span_flags_for(access));
    const FrameNumber frame{capability_.first + index};
    return enter_kernel<Bind>({address(capability_), frame, span, {}, {}}).error == Error::ok;
}

}  // namespace tessera::vmm
