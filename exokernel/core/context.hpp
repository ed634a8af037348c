// An address context: an S-TLB, and the tables that the hardware walks as a cache of it. All of it lies in
// frames that the libOS paid with: this structure in the first, then the S-TLB, the guaranteed mappings,
// and the pool that tables are made of.
#pragma once

#include "exokernel/abi/syscalls.hpp"
#include "exokernel/core/frames.hpp"
#include "stlb/stlb.hpp"

namespace tessera::kernel {

struct Context {
    // Read by trap code (offsets.cpp).
    Stlb stlb;
    u64 root;         ///< What CR3 gets.

    u64 dead;         ///< The S-TLB's dead slot.
    ContextId id;
    u64 grant;
    u64 residents;    ///< Environments that live here.
    FrameRange memory;      ///< All frames of this context.
    PhysAddr tables;        ///< The pool; tables[0] is the root.
    u64 table_count;
    u64 tables_used;
    u64 guaranteed_count;   ///< Entries of `preload` in use.
    u16 preload[1024];      ///< Indices of the guaranteed mappings, for a switch with `preload`.
};
static_assert(sizeof(Context) <= kPageSize);

Context* context_at(u64 index);

/// Where a context's parts lie in the run of frames that it is made of.
struct ContextPlan {
    FrameRange memory;   ///< spec.frames_needed() frames.
    ContextSpec spec;
};
bool canonical(const ContextSpec& spec);
Result<u64> check_context_slot();  ///< A free index.  Errors: exhausted.
/// Makes the frames, which somebody owns, kernel memory: bindings broken, capabilities dead, and charged to their owner.
/// Cost: linear in the S-TLB's entries.
Context& commit_context(u64 index, const ContextPlan& plan);
/// No environment lives in it. Its frames are free afterwards.
void destroy_context(Context& context);
/// The S-TLB's frames within the context's.
FrameRange stlb_frames(const Context& context);

/// Bind frames at the span's pages, all or none. The frames must carry `grant` now; what the capability allows has
/// been checked but for that.  Errors: bad_argument, stale_capability, conflict.
Result<u64> check_and_bind(Context& context, FrameNumber first, PageSpan span, Rights allowed, u64 grant);

// Not inlined into their calls, so that the hot cases there need no registers saved.
[[gnu::noinline]] Result<u64> unbind(Context& context, PageSpan span);
[[gnu::noinline]] Result<u64> protect(Context& context, PageSpan span);
Result<u64> clear_bits(Context& context, PageSpan span, u64 which);

/// Break every binding of these frames, anybody's, before they change hands.
void shoot_down(FrameRange range);

}  // namespace tessera::kernel
