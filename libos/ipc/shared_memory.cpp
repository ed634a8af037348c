// Binding what is shared, and putting something in its place when it is gone. The list of all shared memory is walked in
// the page-fault handler: it changes by one store at a time.
#include "libos/ipc/shared_memory.hpp"

#include <algorithm>

#include "libos/core/collisions.hpp"
#include "libos/core/pages.hpp"
#include "libos/transfer/board.hpp"
#include "secure_bindings/capability.hpp"

namespace tessera::libos {
namespace {

constinit SharedMemory* first_of_all = nullptr;
constinit FaultPolicy other_faults = nullptr;

/// What stands in for every page that is lost: one frame, as its bytes mean nothing.
constinit Capability stand_in{};

constexpr Rights kReadWrite = Right::read | Right::write;

bool on_fault(VirtAddr address, u64 access) {
    return SharedMemory::resolve(address, access) || (other_faults != nullptr && other_faults(address, access));
}

/// The first unit that a capability's range caveats leave. The kernel has the last word.
u64 first_left(const Capability& capability) {
    u64 first = capability.first;
    for (u64 i = 0; i < std::min<u64>(capability.caveats, kMaxCaveats); ++i)
        if (capability.caveat[i].kind == CaveatKind::range) first = std::max(first, capability.caveat[i].a);
    return first;
}

}  // namespace

void use_shared_memory(FaultPolicy others) {
    other_faults = others;
    set_fault_policy(on_fault);
}

// Guaranteed where there is room for it: a word that is waited for must be bound.
Outcome SharedMemory::bind(u64 pages, Rights rights) {
    if (stand_in.kind == ResourceKind::none) TRY(call<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(stand_in)}));
    if (reserved_ < pages) {
        page_ = reserve_pages(pages);
        reserved_ = pages;
    }
    const PageSpan span = PageSpan::make(page_, pages, rights);
    auto bound = call<Bind>({address(capability_), frame_, span.with(SpanFlag::guaranteed), {}, {}});
    if (!bound.ok() && bound.error() == Error::conflict) bound = call<Bind>({address(capability_), frame_, span, {}, {}});
    TRY(bound);
    rights_ = rights;
    pages_ = pages;
    lost_ = false;
    next_ = first_of_all;
    first_of_all = this;
    return Done{};
}

Outcome SharedMemory::create(u64 pages) {
    if (pages_ != 0 || pages == 0) return Error::bad_argument;
    frame_ = TRY(call<FrameAlloc>({FrameNumber{kAny}, pages, 1, address(capability_)}));
    owned_ = true;
    const Outcome bound = bind(pages, kReadWrite);
    if (!bound.ok()) {
        static_cast<void>(call<FrameRelease>({address(capability_), frame_, pages}));
        owned_ = false;
    }
    return bound;
}

Result<Capability> SharedMemory::grant(EnvId to, Rights rights) const {
    if (!owned_ || !to) return Error::bad_argument;
    const Capability narrowed = TRY(attenuate(capability_, only_rights(rights.restricted_to(kReadWrite))));
    return attenuate(narrowed, only_presenter(to));
}

Outcome SharedMemory::attach(const Capability& granted, u64 pages, Rights rights) {
    if (pages_ != 0 || pages == 0 || pages > PageSpan::kMaxPages) return Error::bad_argument;
    capability_ = granted;
    frame_ = FrameNumber{first_left(capability_)};
    return bind(pages, rights.restricted_to(kReadWrite));
}

Outcome SharedMemory::offer(std::string_view name, EnvId to, Rights rights) const { return post(name, TRY(grant(to, rights))); }

Outcome SharedMemory::accept(std::string_view environment, std::string_view name, u64 pages, Rights rights, u64 deadline) {
    return attach(TRY(await_post(environment, name, deadline)), pages, rights);
}

void SharedMemory::detach() {
    if (pages_ == 0) return;
    static_cast<void>(call<Unbind>({PageSpan::make(page_, pages_), {}}));
    if (owned_) static_cast<void>(call<FrameRelease>({address(capability_), frame_, pages_}));
    owned_ = false;
    pages_ = 0;
    SharedMemory** link = &first_of_all;
    while (*link != this) link = &(*link)->next_;
    *link = next_;
}

bool SharedMemory::bind_again(PageNumber page, u64 access) {
    const bool writes = access & static_cast<u64>(AccessKind::write);
    if (access & static_cast<u64>(AccessKind::fetch) || !rights_.has(writes ? Right::write : Right::read)) return false;
    const u64 flags = span_flags_for(access);
    if (!lost_) {
        const PageSpan span = PageSpan::make(page, 1, rights_, flags);
        const auto bound = call<Bind>({address(capability_), frame_ + (page - page_), span, {}, {}});
        if (bound.ok()) return true;
        // No room for a guaranteed mapping is no loss; everything else is the owner's doing.
        if (bound.error() == Error::conflict) return false;
        lost_ = true;
    }
    const PageSpan span = PageSpan::make(page, 1, kReadWrite, flags);
    return call<Bind>({address(stand_in), FrameNumber{stand_in.first}, span, {}, {}}).ok();
}

bool SharedMemory::resolve(VirtAddr address, u64 access) {
    const PageNumber page = page_of(address);
    for (SharedMemory* each = first_of_all; each != nullptr; each = each->next_)
        if (page.value - each->page_.value < each->pages_) return each->bind_again(page, access);
    return false;
}

}  // namespace tessera::libos
