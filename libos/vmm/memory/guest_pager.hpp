// Pages of guests that went out without the guest being asked, and come back when they are touched.
//
// The last resort: the guest may be about to throw the same page out itself, and then it is brought back only to be written
// to the guest's own disk (double paging: Goldberg and Hassinger, 1974; counted here as pages that somebody else than the
// guest needed). Where they go is a BackingStore: squeezed into memory of the monitor's, or into frames that another
// environment lends, which may lose or spoil them: then the guest whose page it was ends.
#pragma once

#include "libos/vmm/memory/lent_store.hpp"
#include "libos/vmm/memory/page_slots.hpp"
#include "libos/vmm/monitor/memory.hpp"

namespace tessera::vmm {

struct PagingCounts {
    u64 out, in;
    u64 in_for_others;  ///< Of `in`: a device or the monitor looked at it, not the guest.
    u64 refused;        ///< Pages that the store had no room for.
    u64 lost;           ///< That did not come back as they went.
};

enum class Brought {
    back,
    no_frame,  ///< There is none for it: it is still where it was.
    lost,      ///< It is not what went out; nobody sees what came instead.
};

class GuestPager {
  public:
    explicit constexpr GuestPager(FrameSupply& supply) : supply_(supply) {}
    GuestPager(const GuestPager&) = delete;
    GuestPager& operator=(const GuestPager&) = delete;

    /// Up to `slots` pages, squeezed into `frames` frames of our own.  Errors: of frame_alloc.
    Outcome open_squeezed(u64 slots, u64 frames);
    /// As they are, into frames that somebody lends us to read and write.  Errors: of LentStore::open.
    Outcome open_lent(const Capability& frames);
    /// Behind the last guest.  Errors: of frame_release.
    Outcome close();
    bool is_open() const { return store_ != nullptr; }

    /// Put a page of the guest's own out, and its frame back to the supply. False: no such page, or no room for it.
    bool page_out(Memory& memory, u64 guest_frame);
    /// Bring it back, into a frame from the supply.
    Brought bring_back(Memory& memory, u64 guest_frame, bool by_guest);
    /// What was put out there is not needed any more.
    void forget(u64 slot) { slots_.give_back(slot); }

    const PagingCounts& counts() const { return counts_; }
    u64 pages_out() const { return slots_.taken(); }

  private:
    Outcome open_slots(u64 slots);

    FrameSupply& supply_;
    RunWindow link_memory_, head_memory_, unit_memory_;
    PageSlots slots_;
    std::optional<libos::SqueezingStore> squeezed_;
    std::optional<LentStore> lent_;
    libos::BackingStore* store_ = nullptr;
    PagingCounts counts_{};
};

}  // namespace tessera::vmm
