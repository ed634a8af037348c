// The simple regions: flat, demand-zero, copy-on-write.
#pragma once

#include "libos/paging/frame_pool.hpp"
#include "libos/paging/region.hpp"

namespace tessera::libos {

/// One run of frames behind one run of pages, bound by one call before anything touches it. A page whose
/// binding the kernel dropped comes back by the TLB-entry capability of the whole run; it needs no entry in
/// any table. Bound as guaranteed mappings it never faults at all.
class FlatRegion final : public Region {
  public:
    /// `rebind`: how many pages to bind at once when one is missing, from it on.
    FlatRegion(PageNumber first, u64 count, Rights rights, u64 rebind = 1)
        : Region(first, count, false), rights_(rights), rebind_(rebind) {}

    /// Bind it to the frames of `capability` from `frame` on. `flags`: of SpanFlag.  Errors: of bind.
    /// `count` in large pages where flags has `large`.  Cost: one call for up to PageSpan::kMaxPages pages, which is the most.
    Outcome open(const Capability& capability, FrameNumber frame, u64 flags = 0);

    bool on_miss(Mapper&, PageNumber page, u64 access) override;

    const Capability& tlb_entry() const { return tlb_entry_; }

  private:
    Capability tlb_entry_;
    Rights rights_;
    u64 flags_ = 0;
    u64 rebind_;
};

/// A frame full of zeros for every page, on the first touch. Frames are never taken back.
class DemandZeroRegion final : public Region {
  public:
    /// `source`: what the address space calls the pool's capability.
    DemandZeroRegion(PageNumber first, u64 count, FramePool& pool, u64 source,
                     Rights rights = Right::read | Right::write)
        : Region(first, count, false), pool_(pool), source_(source), rights_(rights) {}

    bool on_miss(Mapper& mapper, PageNumber page, u64 access) override;

  private:
    FramePool& pool_;
    u64 source_;
    Rights rights_;
};

/// A private copy of other pages, made page by page when one is written. Until then its pages are read-only
/// bindings of the original's frames. The original must stay bound or be restorable at its own address, and
/// its contents must not change while there are copies of it.
class CopyOnWriteRegion final : public Region {
  public:
    /// Where the original lies: its pages, its frames, and what the address space calls their capability.
    struct Original {
        PageNumber page;
        FrameNumber frame;
        u64 source;
    };
    CopyOnWriteRegion(PageNumber first, u64 count, Original original, FramePool& pool, u64 source)
        : Region(first, count, false), original_(original), pool_(pool), source_(source) {}

    bool on_miss(Mapper& mapper, PageNumber page, u64 access) override;

    u64 copies() const { return copies_; }

  private:
    Original original_;
    FramePool& pool_;
    u64 source_;
    u64 copies_ = 0;
};

}  // namespace tessera::libos
