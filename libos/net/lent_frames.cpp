// The list of all is walked in the page-fault handler: it changes by one store at a time.
#include "libos/net/lent_frames.hpp"

#include "libos/core/collisions.hpp"
#include "libos/core/pages.hpp"

namespace tessera::libos {
namespace {

constinit LentFrames* first_of_all = nullptr;
constinit Capability stand_in{};

}  // namespace

Outcome LentFrames::open() {
    if (stand_in.kind == ResourceKind::none) TRY(call<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(stand_in)}));
    if (first_.value == 0) first_ = reserve_pages(kPages);
    next_ = first_of_all;
    first_of_all = this;
    return Done{};
}

Outcome LentFrames::put(u64 place, const Capability& capability, Rights rights) {
    capability_[place] = capability;
    rights_[place] = rights;
    const PageSpan span = PageSpan::make(first_ + place, 1, rights, rights.has(Right::write) ? static_cast<u64>(SpanFlag::dirty) : 0);
    TRY(call<Bind>({address(capability_[place]), FrameNumber{capability_[place].first}, span, {}, {}}));
    return Done{};
}

void LentFrames::close() {
    LentFrames** link = &first_of_all;
    while (*link != nullptr && *link != this) link = &(*link)->next_;
    if (*link == this) *link = next_;
    static_cast<void>(call<Unbind>({PageSpan::make(first_, kPages), {}}));
}

bool LentFrames::bind_again(u64 place, u64 access) {
    const bool writes = access & static_cast<u64>(AccessKind::write);
    if (access & static_cast<u64>(AccessKind::fetch) || !rights_[place].has(writes ? Right::write : Right::read)) return false;
    const u64 flags = span_flags_for(access);
    const PageSpan span = PageSpan::make(first_ + place, 1, rights_[place], flags);
    if (call<Bind>({address(capability_[place]), FrameNumber{capability_[place].first}, span, {}, {}}).ok()) return true;
    const PageSpan instead = PageSpan::make(first_ + place, 1, Right::read | Right::write, flags);
    return call<Bind>({address(stand_in), FrameNumber{stand_in.first}, instead, {}, {}}).ok();
}

bool LentFrames::resolve(VirtAddr address, u64 access) {
    const PageNumber page = page_of(address);
    for (LentFrames* each = first_of_all; each != nullptr; each = each->next_)
        if (page.value - each->first_.value < kPages) return each->bind_again(page - each->first_, access);
    return false;
}

}  // namespace tessera::libos
