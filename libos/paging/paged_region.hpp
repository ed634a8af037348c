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
    };
    struct Counts {
        u64 faults, zero_fills, reads, writes, evictions, upgrades;
    };

    // The eviction and the store may be the program's: SSE is saved.
    PagedRegion(PageNumber first, u64 count, const Parts& parts) : Region(first, count), parts_(parts) {}

    bool on_miss(Mapper& mapper, PageNumber page, u64 access) override;

    const Counts& counts() const { return counts_; }

  private:
    bool test_and_clear(u64 place) override;
    bool fill(Mapper& mapper, PageNumber page, u64 access);
    bool evict(Mapper& mapper, u64& place, FrameNumber& frame);

    Parts parts_;
    u64 resident_ = 0;
    Counts counts_{};
};

}  // namespace tessera::libos
