// One guest's memory under a manager: what its pages are standing on is shared, ballooned or paged out, and comes back.
//
// The hooks of Memory (what a write or a touch needs) and of the balloon (what the guest gives), with the tables that all
// guests of a monitor have in common behind them.
#pragma once

#include "libos/vmm/devices/virtio_balloon.hpp"
#include "libos/vmm/memory/guest_pager.hpp"
#include "libos/vmm/memory/sharing.hpp"

namespace tessera::vmm {

class ManagedMemory;

/// What is to be decided over all guests of a monitor.
class MemoryOwner {
  public:
    /// There is no frame for a page: somebody's is to be put out.
    virtual bool make_room() = 0;
    /// A guest's page is lost: that guest cannot go on.
    virtual void page_lost(const ManagedMemory& memory, u64 guest_frame) = 0;

  protected:
    ~MemoryOwner() = default;
};

/// How many guest frames stand on what.
struct MemoryUse {
    u64 own, shared, paged_out, ballooned, absent;
};

class ManagedMemory final : public MemoryPolicy, public BalloonOwner {
  public:
    /// From now on the policy of `memory`. All must stay.
    ManagedMemory(Memory& memory, Sharing& sharing, GuestPager& pager, MemoryOwner& owner)
        : memory_(memory), sharing_(sharing), pager_(pager), owner_(owner), number_(sharing.add(memory)) {
        memory.set_policy(this);
    }

    /// Before the guest's memory is closed: what others have a part in is let go.
    void close();

    Memory& memory() { return memory_; }
    u64 number() const { return number_; }  ///< In PageOf.
    void set_balloon(VirtioBalloon* balloon) { balloon_ = balloon; }
    VirtioBalloon* balloon() { return balloon_; }

    /// Look at a page, whether another one is equal.
    void look_at(u64 guest_frame) { sharing_.look_at({number_, guest_frame}); }
    bool page_out(u64 guest_frame) { return pager_.page_out(memory_, guest_frame); }
    /// A frame that others own and that stays as it is, where a device would have written the same bytes.
    void show(u64 guest_frame, SuppliedFrame frame);

    /// Cost: looks at the whole map.
    MemoryUse use() const;
    u64 pages_given() const { return given_; }  ///< That the guest's balloon named and that were its own.

    // ---- MemoryPolicy ----
    bool bring_back(u64 guest_frame, bool by_guest) override;
    bool make_room() override { return owner_.make_room(); }
    void on_write(u64) override {}
    void on_copy(u64 guest_frame, SuppliedFrame was) override { sharing_.drop_copied({number_, guest_frame}, was); }

    // ---- BalloonOwner ----
    void page_given(u64 guest_frame) override;
    void page_taken(u64) override {}  // It is as one that was never touched.

  private:
    void let_go(u64 guest_frame, FrameUse use);

    Memory& memory_;
    Sharing& sharing_;
    GuestPager& pager_;
    MemoryOwner& owner_;
    VirtioBalloon* balloon_ = nullptr;
    u64 number_;
    u64 given_ = 0;
};

}  // namespace tessera::vmm
