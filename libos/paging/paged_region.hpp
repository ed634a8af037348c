// More pages than frames: a region that lives in a fixed number of frames and puts pages out to a backing
// store when it needs one, by a policy of the program's choice.
#pragma once

#include <span>

#include "libos/paging/backing_store.hpp"
#include "libos/paging/eviction.hpp"
#include "libos/paging/frame_pool.hpp"
#include "libos/paging/region.hpp"

namespace tessera::libos {

class PagedRegion final : public Region, private UseBits {
  public:
    /// What it works with. `places` is memory for one word a frame: as many frames of the pool are used as it
    /// has elements. The store's slots are the pages, counted from the region's first.
    struct Parts {
        FramePool& pool;
        u64 source;  ///< What the address space calls the pool's capability.
        BackingStore& store;
        Eviction& eviction;
        StlbView stlb;  ///< Without one, every page counts as not used.
        std::span<PageNumber> places;
        bool filled = false;  ///< The store has all pages from the beginning (ComputedStore): none is zero at first.
    };
    struct Counts {
        u64 faults, zero_fills, reads, writes, evictions, upgrades;
        u64 lost;   ///< Pages whose frame was taken by force.
        u64 spoilt; ///< Of those, pages whose contents were nowhere else. Touching one again is fatal: it must not look like memory.
    };

    // The eviction and the store may be the program's: SSE is saved.
    PagedRegion(PageNumber first, u64 count, const Parts& parts) : Region(first, count), parts_(parts) {}

    bool on_miss(Mapper& mapper, PageNumber page, u64 access) override;

    /// Do with fewer frames: put up to `count` pages out, but keep `keep`, and give their frames to the pool. First those that the
    /// store has as they are, then by the eviction policy those that have to be written. Returns how many.
    u64 shrink(Mapper& mapper, u64 count, u64 keep);
    /// The same for the pages that lie in `count` named frames.
    u64 vacate(Mapper& mapper, FrameNumber first, u64 count);
    /// Some frames may have been taken by force: their pages are not there any more, and come back from the store when they are
    /// touched, where it has them or the kernel saved them there. Returns how many pages it were.
    u64 forget_lost(Mapper& mapper);

    /// Pages that are in frames.
    u64 resident() const { return resident_; }
    const Parts& parts() const { return parts_; }

    const Counts& counts() const { return counts_; }

  private:
    bool test_and_clear(u64 place) override;
    struct Room {
        u64 place;
        FrameNumber frame;  ///< kAny: lost just now.
        bool is_zero;
    };
    bool fill(Mapper& mapper, PageNumber page, u64 access);
    bool fill_frame(Mapper& mapper, PageNumber page, const Room& room, bool stored, u64 access);
    bool find_room(Mapper& mapper, Room& room);
    bool evict(Mapper& mapper, Room& room);
    bool put_out(Mapper& mapper, u64 place, FrameNumber& frame);
    bool vacate_place(Mapper& mapper, u64 place);
    bool forget(Mapper& mapper, u64 place, bool unsure = false);
    void leave(u64 place);
    Entry after_loss(Entry entry) const;

    Parts parts_;
    u64 resident_ = 0;
    Counts counts_{};
};

}  // namespace tessera::libos
