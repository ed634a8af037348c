// Givers for what the house has: a pool's unused frames, a paged region, slots.
#pragma once

#include <span>

#include "libos/paging/paged_region.hpp"
#include "libos/revocation/giver.hpp"

namespace tessera::libos {

/// Frames of a pool that nobody uses: nothing is lost with them.  Cost: one call for each run of them.
class PoolGiver final : public Giver {
  public:
    explicit PoolGiver(FramePool& pool) : pool_(pool) {}
    u64 give(u64 count) override { return pool_.release(count); }
    u64 give_named(u64 first, u64 count) override { return pool_.release_named(FrameNumber{first}, count); }
    u64 forget_lost() override { return pool_.forget_lost(); }

  private:
    FramePool& pool_;
};

/// Frames of a paged region: pages that can be computed or that the store has go first, then such as must be written out.
class RegionGiver final : public Giver {
  public:
    /// `keep`: of how many frames the region cannot do without. `saved_under`: the capability, with the right to be bound
    /// writable, of the frames that pages are saved to by force; none when the region's store has no such (BackingStore::seed).
    RegionGiver(PagedRegion& region, Mapper& mapper, u64 keep, const Capability* saved_under = nullptr)
        : region_(region), mapper_(mapper), keep_(keep), saved_under_(saved_under) {}

    /// A frame of its own for stand_in. Without it, a loss in the middle of a page fault of the region is fatal.
    /// Errors: of frame_alloc.
    Outcome open();

    u64 give(u64 count) override;
    u64 give_named(u64 first, u64 count) override;
    u64 forget_lost() override { return region_.forget_lost(mapper_); }
    bool stand_in(VirtAddr address) override;

  private:
    PagedRegion& region_;
    Mapper& mapper_;
    u64 keep_;
    const Capability* saved_under_;
    Capability spare_;
    FrameNumber spare_frame_{kAny};
};

/// Slots, each with a capability of its own (BootInfo::slots), from the last on. The first is kept: without any slot a program
/// that nobody else runs has ended.
class SlotGiver final : public Giver {
  public:
    explicit SlotGiver(std::span<const Capability> slots) : slots_(slots) {}
    u64 give(u64 count) override;
    u64 give_named(u64 first, u64 count) override;

  private:
    bool release(u64 index);

    std::span<const Capability> slots_;
    u64 released_ = 0;  // a bit for each
};

}  // namespace tessera::libos
