// An address context: an S-TLB, and the tables that the hardware walks as a cache of it. All of it lies in
// frames that the libOS paid with: this structure in the first, then the S-TLB, the guaranteed mappings,
// and the pool that tables are made of.
#pragma once

#include "exokernel/abi/syscalls.hpp"
#include "exokernel/core/frames.hpp"
#include "exokernel/core/lock.hpp"
#include "stlb/stlb.hpp"

namespace tessera::kernel {

struct Cpu;

struct Context {
    /// The S-TLB as the paths see it that take no lock, trap code among them (offsets.cpp): that of the context while one CPU
    /// at most may load it, and else one that never holds anything, so that they all go their slow ways.
    Stlb hot;
    u64 root;         ///< What CR3 gets.
    Stlb stlb;        ///< The context's.

    u64 dead;         ///< The S-TLB's dead slot.
    ContextId id;
    u64 grant;
    u64 residents;    ///< Environments that live here, and guests that are loaded with it (once a place),
    u16 residents_on[kMaxCpus];  ///< and on which CPUs.
    bool shared;      ///< On more than one: what `stlb` holds is changed under `lock`, or with all other CPUs stopped.
    LeafLock lock;
    FrameRange memory;      ///< All frames of this context.
    PhysAddr tables;        ///< The pool; tables[0] is the root.
    u64 table_count;
    u64 tables_used;
    ContextKind kind;
    u64 pages;              ///< Pages below this one can be bound.
    u64 changes;            ///< How often a translation was taken away while it was not loaded: tagged copies are stale.
    u64 guaranteed_count;   ///< Entries of `preload` in use.
    u16 preload[1024];      ///< Indices of the guaranteed mappings, for a switch with `preload`.
};
static_assert(sizeof(Context) <= kPageSize);

Context* context_at(u64 index);

/// Does a guest in a machine mode of its own use it? Then no CPU of ours walks its tables.
constexpr bool is_guests_own(ContextKind kind) { return kind == ContextKind::shadow || kind == ContextKind::nested; }

/// May no CPU but this one load it?
bool only_here(const Context& context);
/// May this CPU load it? Then it stays while this CPU is in the kernel.
bool stays_here(const Context& context);
/// Environments come to live here, or leave (-1). Everything is stopped, but for a context that is new.
void commit_residents(Context& context, Cpu& cpu, int change);

/// Reading or adding to what a context holds, while other CPUs may do so too.
class ContextGuard {
  public:
    explicit ContextGuard(Context& context) : context_(context) {
        if (context.shared) [[unlikely]] context.lock.acquire();
    }
    ~ContextGuard() {
        if (context_.shared) [[unlikely]] context_.lock.release();
    }
    ContextGuard(const ContextGuard&) = delete;
    ContextGuard& operator=(const ContextGuard&) = delete;

  private:
    Context& context_;
};

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

/// Of a context that is shared, only with everything stopped.
Result<u64> unbind(Context& context, PageSpan span);
Result<u64> protect(Context& context, PageSpan span);
Result<u64> clear_bits(Context& context, PageSpan span, u64 which);

/// Break every binding of these frames, anybody's, before they change hands. What other CPUs may hold of them is broken
/// there too: with them stopped, unless nobody else has one.
void shoot_down(FrameRange range);
/// Does every binding of these frames, also one that is dead but kept, belong to a context that only this CPU may load?
bool bound_only_here(FrameRange range);
/// If so, every capability for these frames, which carry `grant`, is dead: nothing new is bound, and they can be taken away
/// without stopping anybody. If not, nothing has changed.
bool claim_here(FrameRange range, u64 grant);

}  // namespace tessera::kernel
