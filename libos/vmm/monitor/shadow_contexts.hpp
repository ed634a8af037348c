// The contexts behind the roots of a shadow: the S-TLB of each is its shadow page table, a cache that may lose what it likes
// and that the kernel refills from without asking. So switching to a root that is still there is switching the context,
// nothing more (Disco's second-level TLB).
//
// A root has one context (SVM: supervisor pages keep the guest's ring 3 out), or one for each mode of the guest (ring 3:
// what the guest's kernel may touch is not there for its user). They are made when they are first needed. To drop what is
// bound in a whole root, or of one frame, the S-TLBs are looked through: a libOS can read its own.
//
// An S-TLB is direct-mapped, and the guest lays out its pages without knowing of it. Where an instruction needs pages that
// displace each other it would fault for ever: a page that the same instruction has just missed is bound guaranteed.
#pragma once

#include <algorithm>
#include <bit>

#include "exokernel/abi/stlb_entry.hpp"
#include "libos/vmm/monitor/guest_context.hpp"
#include "libos/vmm/monitor/guest_cpu.hpp"
#include "libos/vmm/monitor/memory.hpp"
#include "libos/vmm/monitor/touched_entries.hpp"
#include "libos/vmm/shadow/shadow.hpp"

namespace tessera::vmm {

class ShadowContexts final : public ShadowHardware {
  public:
    static constexpr u32 kMaxContexts = kContextsPerGuest;
    /// How many pages a context should hold for a guest of `frames`: twice as many. A kernel has its memory mapped in a row,
    /// and itself somewhere else; what is needed together then seldom stands in one entry.
    static constexpr u64 pages_for(u64 frames) { return std::clamp<u64>(std::bit_ceil(2 * frames), 1024, 65536); }

    /// `kind`: shadow, one context a root, or deprivileged, two. `pages`: how many each should hold at once.
    ShadowContexts(Memory& memory, ContextKind kind, u64 pages) : memory_(memory), kind_(kind), pages_(pages) {}

    /// The place of a root and mode; `user` counts for the deprivileged kind only. Made and loaded if it has to be.
    /// Errors: of GuestContext::open and guest_load.
    Result<u64> place(GuestCpu& cpu, u32 root, bool user) {
        const u64 place = kind_ == ContextKind::deprivileged ? 2 * u64{root} + user : root;
        if (!opened_[place]) [[unlikely]]
            TRY(open(cpu, place));
        return place;
    }
    /// The guest must not be loaded any more.  Errors: of context_destroy.
    Outcome close();

    /// Bind a mapping, or the part of it around its page that is one run of frames, at a place. `write`: the guest is about to,
    /// at `rip`.  False: there is no memory for it.
    bool bind(u64 place, const ShadowMapping& mapping, bool write, u64 rip);

    /// Frames of the monitor's own, at `first` and behind it; `page` is the one that is needed.
    struct Own {
        const Capability& capability;
        FrameNumber frame;
        PageNumber first, page;
        u64 count;
        Rights rights;
    };
    /// Bind them as `bind` does the guest's.  False: there is no memory for it.
    bool bind_own(u64 place, const Own& own, bool write, u64 rip);

    void forget(u32 root, PageNumber page, u64 count) override;
    void forget_root(u32 root) override;
    void forget_frame(u64 guest_frame) override;
    /// Drop the bindings of the frames that stand behind guest frames.
    void forget_frames(u64 guest_frame, u64 count);

  private:
    static constexpr u64 kRecent = 8, kPins = 4;  // as many as one set of guaranteed mappings has room for
    /// A miss that was answered.
    struct Miss {
        u64 place, rip;
        PageNumber page;
        bool write;
        bool operator==(const Miss&) const = default;
    };
    struct Pins {
        std::array<PageNumber, kPins> page{};
        u64 used = 0, next = 0;
    };

    Outcome open(GuestCpu& cpu, u64 place);
    bool may_be_bound(u64 place, PageNumber page) const;
    bool comes_again(const Miss& miss);
    void pin(u64 place, PageNumber page);
    void unpin(u64 place);
    Outcome bind_span(u64 place, const Capability& capability, FrameNumber frame, PageSpan span);
    u64 contexts_per_root() const { return kind_ == ContextKind::deprivileged ? 2 : 1; }
    const StlbEntry* entries_of(u64 place) const { return reinterpret_cast<const StlbEntry*>(stlbs_[place].memory()); }
    template <class Which>
    void forget_entries(u64 place, Which&& which);
    void forget_pages(u64 place, PageNumber page, u64 count);

    Memory& memory_;
    const ContextKind kind_;
    const u64 pages_;
    std::array<GuestContext, kMaxContexts> contexts_;
    std::array<RunWindow, kMaxContexts> stlbs_;
    std::array<bool, kMaxContexts> opened_{};
    std::array<bool, kMaxContexts> bound_{};  // something may be bound there,
    std::array<TouchedEntries, kMaxContexts> touched_;  // and in which entries
    std::array<Pins, kMaxContexts> pins_{};
    std::array<Miss, kRecent> recent_{};
    u64 misses_ = 0;
};

}  // namespace tessera::vmm
