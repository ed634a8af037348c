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
    next_of_all_ = first_of_all;
    first_of_all = this;
    return Done{};
}

Result<u64> LentFrames::hold(const Capability& capability, Rights rights, bool now) {
    u8& hint = hints_[capability.first % kHints];
    // Its tag stands for all that a capability says.
    const Capability& there = capability_[hint];
    if (!held_[hint] && there.tag[0] == capability.tag[0] && there.tag[1] == capability.tag[1] && there.first == capability.first) {
        ++found_;
        held_[hint] = true;
        return u64{hint};
    }
    // In place of the same frame, if that was renewed: nobody can want what was bound there.
    u64 page = hint;
    if (held_[page] || there.first != capability.first) {
        for (u64 tried = 0; held_[next_]; next_ = (next_ + 1) % kPages)
            if (++tried > kPages) return Error::exhausted;
        page = next_;
        next_ = (next_ + 1) % kPages;
    }
    capability_[page] = capability;
    rights_[page] = rights;
    ++changes_[page];
    const PageSpan span = PageSpan::make(first_ + page, 1, rights, rights.has(Right::write) ? static_cast<u64>(SpanFlag::dirty) : 0);
    if (now)
        TRY(call<Bind>({address(capability_[page]), FrameNumber{capability.first}, span, {}, {}}));
    else
        static_cast<void>(call<Unbind>({PageSpan::make(first_ + page, 1), {}}));
    hint = static_cast<u8>(page);
    held_[page] = true;
    return page;
}

void LentFrames::close() {
    LentFrames** link = &first_of_all;
    while (*link != nullptr && *link != this) link = &(*link)->next_of_all_;
    if (*link == this) *link = next_of_all_;
    static_cast<void>(call<Unbind>({PageSpan::make(first_, kPages), {}}));
}

bool LentFrames::bind_again(u64 page, u64 access) {
    const bool writes = access & static_cast<u64>(AccessKind::write);
    if (access & static_cast<u64>(AccessKind::fetch) || !rights_[page].has(writes ? Right::write : Right::read)) return false;
    const u64 flags = span_flags_for(access);
    const PageSpan span = PageSpan::make(first_ + page, 1, rights_[page], flags);
    if (call<Bind>({address(capability_[page]), FrameNumber{capability_[page].first}, span, {}, {}}).ok()) return true;
    const PageSpan instead = PageSpan::make(first_ + page, 1, Right::read | Right::write, flags);
    return call<Bind>({address(stand_in), FrameNumber{stand_in.first}, instead, {}, {}}).ok();
}

bool LentFrames::resolve(VirtAddr address, u64 access) {
    const PageNumber page = page_of(address);
    for (LentFrames* each = first_of_all; each != nullptr; each = each->next_of_all_)
        if (page.value - each->first_.value < kPages) return each->bind_again(page - each->first_, access);
    return false;
}

}  // namespace tessera::libos
