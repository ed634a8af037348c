// System calls on address contexts and their bindings.
#include "exokernel/arch/x86_64/svm.hpp"
#include "exokernel/core/binding.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/presented.hpp"
#include "exokernel/core/syscalls.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {

Result<FrameRange> check_kernel_memory(Environment& env, VirtAddr capability, u64 count) {
    const Presented shown = TRY(check_capability(env, capability, ResourceKind::frames, Right::use));
    const FrameRange range{FrameNumber{shown->first}, shown->count};
    if (range.count != count || !frames.exists(range)) return Error::out_of_range;
    for (u64 i = 0; i < count; ++i) {
        const FrameInfo& info = frames.info(range.first + i);
        if (info.grant != shown->grant) return Error::stale_capability;
        if (info.state != FrameState::owned || (info.flags & frame_flag::kSaveArea)) return Error::in_use;
    }
    return range;
}

namespace {

/// What a call needs of a context that it names, to go on without stopping the other CPUs: to add to it, that it stays
/// (stays_here); to change what others may have a translation of, that nobody has (only_here).
using Need = bool (*)(const Context&);

/// What a call's `context` argument means: zero is the caller's own, which it was bound to when it was made.
inline Result<Context*> check_context(Environment& env, VirtAddr capability, Need need) {
    if (capability.value == 0) [[likely]] return env.context;
    Context* context = TRY(check_named_context(env, capability));
    // Another environment over the same memory can have put another capability there since must_stop() looked.
    if (cpu_count() != 1 && Cpu::here().exclusive == 0 && !need(*context)) return Error::stale_capability;
    return context;
}

/// Must a call on that context stop the other CPUs? Looked at before it is checked, to be checked when they are stopped.
bool must_stop(Environment& env, VirtAddr capability, Need need) {
    if (capability.value == 0 || cpu_count() == 1) return false;
    const auto context = check_named_context(env, capability);
    return context.ok() && !need(*context.value());
}

ContextGrant commit_grant(const Context& context) {
    const FrameRange stlb = stlb_frames(context);
    return ContextGrant{
        mint_capability(ResourceKind::context, Right::use | Right::release, context.id.index(), 1, context.grant),
        mint_capability(ResourceKind::frames, Right::read, stlb.first.value, stlb.count, frames.info(stlb.first).grant)};
}

/// The part of a capability that a span maps: from `first` on, `count` units.
bool covers(const Capability& shown, FrameNumber first, PageSpan span) {
    const u64 count = span.count() * (span.has(SpanFlag::large) ? kPagesPerLarge : 1);
    const FrameRange whole{FrameNumber{shown.first}, shown.count};
    return span.count() != 0 && whole.contains(FrameRange{first, count});
}

}  // namespace

Result<ContextId> on_call(const ContextCreate::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    ContextSpec spec;
    TRY(copy_in(*env.context, spec, args.spec));
    if (!canonical(spec)) return Error::bad_argument;
    if (!supports(spec.kind)) return Error::unsupported;
    const UserBytes out = TRY(check_out<ContextGrant>(*env.context, args.grant));
    const FrameRange memory = TRY(check_kernel_memory(env, spec.frames, spec.frames_needed()));
    const u64 index = TRY(check_context_slot());

    const Context& context = commit_context(index, {memory, spec});
    // The answer's page may have been one of the frames: then it is the kernel's now, and nobody can be told.
    if (const auto still = check_out<ContextGrant>(*env.context, args.grant); still.ok())
        commit_copy_out(out, commit_grant(context));
    return context.id;
}

Outcome on_call(const ContextDestroy::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    const Presented shown = TRY(check_capability(env, args.context, ResourceKind::context, Right::release));
    Context* context = shown->first < kMaxContexts ? context_at(shown->first) : nullptr;
    if (context == nullptr || context->grant != shown->grant) return Error::stale_capability;
    if (context->residents != 0) return Error::in_use;

    destroy_context(*context);
    return Done{};
}

namespace {

/// The TLB-entry capability for what was just bound.
[[gnu::noinline]] void commit_tlb_entry(Environment& env, const Bind::Args& args, const Context& context, Presented shown) {
    const bool large = args.span.has(SpanFlag::large);
    Capability entry;
    entry.kind = ResourceKind::tlb_entry;
    entry.rights = Rights{shown->rights}.restricted_to(Right::read | Right::write | Right::execute).bits;
    entry.first = args.first.value;
    entry.count = args.span.count() * (large ? kPagesPerLarge : 1);
    entry.grant = shown->grant;
    entry.presenter = shown->presenter;
    entry.context = static_cast<u32>(context.id.value);
    entry.page = args.span.page().value | (large ? kLargePage : 0);
    mint(entry, capability_keys());
    // What was lent for a time is not kept for longer.
    for (u64 i = 0; i < shown->caveats; ++i)
        if (shown->caveat[i].kind == CaveatKind::expiry) entry = attenuate(entry, shown->caveat[i]).value();
    // The answer's own page may have been bound to something else just now: then nobody can be told.
    if (const auto still = check_out<Capability>(*env.context, args.tlb_entry); still.ok())
        commit_copy_out(still.value(), entry);
}

}  // namespace

// Bind and Rebind are hot for one page of the caller's own context: the second half of every warm page fault. They are
// written as a straight line with ways out of it: a capability that was presented before goes through find_presented,
// a page that was bound before through bind_again, and neither calls anything.

namespace {

// The arguments one by one: six registers, where a structure would be memory that the hot case makes room for.
[[gnu::noinline]] Result<u64> bind_many(Environment& env, VirtAddr capability, FrameNumber first, PageSpan span, VirtAddr named,
                                        VirtAddr tlb_entry) {
    const Bind::Args args{capability, first, span, named, tlb_entry};
    Exclusive exclusive(must_stop(env, named, stays_here));
    Context* context = TRY(check_context(env, args.context, stays_here));
    if (args.tlb_entry.value != 0) TRY(check_out<Capability>(*env.context, args.tlb_entry));
    const Presented shown = TRY(check_capability(env, args.capability, ResourceKind::frames, span.rights()));
    if (!covers(*shown, args.first, span)) return Error::out_of_range;

    const u64 bound = TRY(check_and_bind(*context, args.first, span, Rights{shown->rights}, shown->grant));
    if (args.tlb_entry.value != 0) commit_tlb_entry(env, args, *context, shown);
    return bound;
}

[[gnu::always_inline]] inline Result<u64> bind_shown(Environment& env, FrameNumber first, PageSpan span, Presented shown) {
    const Rights allowed{shown->rights};
    if (shown->kind != ResourceKind::frames || !allowed.has(span.rights())) [[unlikely]] return Error::denied;
    if (first.value - shown->first >= shown->count) [[unlikely]] return Error::out_of_range;
    if (!bind_again(*env.context, first, span, allowed, shown->grant)) [[unlikely]]
        return check_and_bind(*env.context, first, span, allowed, shown->grant);
    return u64{1};
}

[[gnu::noinline]] Result<u64> bind_unknown(Environment& env, VirtAddr capability, FrameNumber first, PageSpan span) {
    const Presented shown = TRY(check_unknown(env, capability));
    return bind_shown(env, first, span, shown);
}

[[gnu::noinline]] Result<u64> rebind_many(Environment& env, VirtAddr tlb_entry, PageSpan span, VirtAddr named) {
    Exclusive exclusive(must_stop(env, named, stays_here));
    Context* context = TRY(check_context(env, named, stays_here));
    const Presented shown = TRY(check_capability(env, tlb_entry, ResourceKind::tlb_entry, span.rights()));
    if (shown->context != context->id.value) return Error::denied;
    const bool large = shown->page & kLargePage;
    const u64 first_page = shown->page & ~kLargePage;
    if (large != span.has(SpanFlag::large) || span.page().value < first_page) return Error::out_of_range;
    const FrameNumber first{shown->first + (span.page().value - first_page)};
    if (!covers(*shown, first, span)) return Error::out_of_range;

    return check_and_bind(*context, first, span, Rights{shown->rights}, shown->grant);
}

[[gnu::always_inline]] inline Result<u64> rebind_shown(Environment& env, PageSpan span, Presented shown) {
    const Rights allowed{shown->rights};
    if (shown->kind != ResourceKind::tlb_entry || !allowed.has(span.rights())) [[unlikely]] return Error::denied;
    if (shown->context != env.context->id.value) [[unlikely]] return Error::denied;
    const u64 distance = span.page().value - shown->page;  // huge if the page lies before it, or it is a large one
    if (distance >= shown->count) [[unlikely]] return Error::out_of_range;
    const FrameNumber frame{shown->first + distance};
    if (!bind_again(*env.context, frame, span, allowed, shown->grant)) [[unlikely]]
        return check_and_bind(*env.context, frame, span, allowed, shown->grant);
    return u64{1};
}

[[gnu::noinline]] Result<u64> rebind_unknown(Environment& env, VirtAddr tlb_entry, PageSpan span) {
    const Presented shown = TRY(check_unknown(env, tlb_entry));
    return rebind_shown(env, span, shown);
}

}  // namespace

Result<u64> on_call(const Bind::Args& args) {
    Environment& env = caller();
    const VirtAddr capability = args.capability, named = args.context, tlb_entry = args.tlb_entry;
    const FrameNumber first = args.first;
    const PageSpan span = args.span;
    if (!is_one_page(span) || (named.value | tlb_entry.value) != 0) [[unlikely]]
        return bind_many(env, capability, first, span, named, tlb_entry);
    const Presented shown = find_presented(env, capability);
    if (shown == nullptr) [[unlikely]] return bind_unknown(env, capability, first, span);
    return bind_shown(env, first, span, shown);
}

Result<u64> on_call(const Rebind::Args& args) {
    Environment& env = caller();
    const VirtAddr capability = args.tlb_entry, named = args.context;
    const PageSpan span = args.span;
    if (!is_one_page(span) || named.value != 0) [[unlikely]] return rebind_many(env, capability, span, named);
    const Presented shown = find_presented(env, capability);
    if (shown == nullptr) [[unlikely]] return rebind_unknown(env, capability, span);
    return rebind_shown(env, span, shown);
}

namespace {

/// A change to more than one page, or to a context that a capability names or that other CPUs may load too.
template <class Change>
[[gnu::always_inline]] inline Result<u64> in_context(VirtAddr named, Change&& change) {
    Environment& env = caller();
    Exclusive exclusive(named.value == 0 ? env.context->shared : must_stop(env, named, only_here));
    return change(*TRY(check_context(env, named, only_here)));
}
[[gnu::noinline]] Result<u64> unbind_slowly(PageSpan span, VirtAddr named) {
    return in_context(named, [span](Context& context) { return unbind(context, span); });
}
[[gnu::noinline]] Result<u64> protect_slowly(PageSpan span, VirtAddr named) {
    return in_context(named, [span](Context& context) { return protect(context, span); });
}

}  // namespace

// Hot for one ordinary page of the caller's own context.

Result<u64> on_call(const Unbind::Args& args) {
    const PageSpan span = args.span;
    if (is_one_page(span) && args.context.value == 0) [[likely]] {
        Context& context = *caller().context;
        StlbEntry& entry = context.hot.home(span.page().value);
        if (entry.tag == span.page().value) {
            entry.tag |= kDeadTag;
            *entry.slot = 0;
            flush_translation(context, span.page());
            return u64{1};
        }
    }
    return unbind_slowly(span, args.context);
}

Result<u64> on_call(const Protect::Args& args) {
    const PageSpan span = args.span;
    if (is_one_page(span) && args.context.value == 0) [[likely]] {
        Context& context = *caller().context;
        StlbEntry& entry = context.hot.home(span.page().value);
        if (entry.tag == span.page().value) {
            if (!authorised(entry.pte, span.rights())) return Error::denied;
            entry.pte = with_rights(entry.pte, span.rights(), span.has(SpanFlag::dirty));
            if (*entry.slot != 0) *entry.slot = entry.pte;
            flush_translation(context, span.page());
            return u64{1};
        }
    }
    return protect_slowly(span, args.context);
}

Result<u64> on_call(const ClearBits::Args& args) {
    return in_context(args.context, [&args](Context& context) { return clear_bits(context, args.span, args.which); });
}

}  // namespace tessera::kernel
