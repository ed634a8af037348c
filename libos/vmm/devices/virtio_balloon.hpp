// The balloon: how a monitor asks a guest for memory, and the guest chooses which. (Virtio 1.1, 5.5; the idea: C.
// Waldspurger, Memory Resource Management in VMware ESX Server, OSDI 2002, section 3.2.)
//
// The monitor sets a target; the guest's driver takes pages out of its own use and names them (inflate), or wants some
// back (deflate). What a page that was given is worth to the monitor is its own business: so is what happens if the
// guest touches it all the same.
#pragma once

#include "libos/vmm/devices/virtio.hpp"

namespace tessera::vmm {

/// Who manages the guest's memory. A guest may name the same page twice, or one that it never gave: both calls have to
/// be harmless for any frame below GuestMemory::frames().
class BalloonOwner {
  public:
    /// The guest gives up a page: its bytes are worth nothing any more.
    virtual void page_given(u64 guest_frame) = 0;
    /// The guest is about to use it again; what is in it does not matter.
    virtual void page_taken(u64 guest_frame) = 0;

  protected:
    ~BalloonOwner() = default;
};

/// What a guest says about itself, in its own words: nothing is to be believed. kNever: it did not say.
enum class MemoryStatistic : u16 {
    swap_in,
    swap_out,
    major_faults,
    minor_faults,
    free,
    total,
    available,
    caches,
    huge_allocated,
    huge_failed,
};
inline constexpr u32 kMemoryStatistics = 10;

class VirtioBalloon final : public VirtioDevice {
  public:
    VirtioBalloon(GuestMemory& memory, GuestLog& log, BalloonOwner& owner);

    /// Ask for that many pages in all. The guest comes near in its own time, or does not.
    void set_target(u32 pages);
    u32 target() const { return target_; }
    /// How many the guest says it has given. What it named is what counts: page_given.
    u32 actual() const { return actual_; }

    /// Ask for fresh statistics. False: the guest has not answered the last time yet, or has none.
    bool ask_statistics();
    /// From the last answer, in the units of 5.5.6.3: bytes, or events.
    u64 statistic(MemoryStatistic which) const { return statistics_[static_cast<u32>(which)]; }
    u64 statistics_received() const { return statistics_received_; }  ///< How many answers there were.

  private:
    enum Queue : u32 { kInflate = 0, kDeflate = 1, kStatistics = 2 };
    static constexpr u32 kPagesAtOnce = 1 << 14;

    void on_notify(u32 queue) override;
    void on_reset() override;
    u8 config(u32 offset) const override;
    void set_config(u32 offset, u8 value) override;
    u32 move_pages(u32 queue, const Chain& chain);
    void read_statistics();

    BalloonOwner& owner_;
    u32 target_ = 0;
    u32 actual_ = 0;
    u64 statistics_[kMemoryStatistics];
    u64 statistics_received_ = 0;
    u16 statistics_head_ = 0;  ///< The buffer that the guest left with us: returning it is asking.
    bool statistics_held_ = false;
};

}  // namespace tessera::vmm
