// What a monitor does about memory beside its guests: looks for equal pages at a bounded rate, answers the kernel when it
// asks frames back, gives guests back what they gave when there is memory again, and tells how things stand.
//
//   asked for frames --> balloons are inflated, the guests choose --> half of the time is over --> any pages, by chance
//
// It is a chore of the monitor's loop, so nothing of this happens in the middle of an access. The upcall only wakes the loop.
#pragma once

#include <array>

#include "exokernel/abi/revocation.hpp"
#include "libos/vmm/memory/balloon_target.hpp"
#include "libos/vmm/memory/managed_memory.hpp"
#include "libos/vmm/memory/victims.hpp"
#include "libos/vmm/monitor/monitor.hpp"

namespace tessera::vmm {

struct ManagerRules {
    u64 interval = 2000;      ///< Microseconds between two looks at everything below.
    u64 scan_idle = 256;      ///< Pages hashed each time while all guests are idle; 0: no sharing.
    u64 scan_busy = 32;       ///< While one is not.
    u64 kept = 25;            ///< Percent of its memory that a balloon leaves a guest.
    u64 deflate_step = 16;    ///< Frames by which balloons get smaller each time, while memory is free.
    u64 deflate_after = 500;  ///< Milliseconds since frames were asked for, or refused, last.
    u64 report = 0;           ///< Milliseconds between two records of how things stand; 0: none.
    u64 seed = 0;             ///< Of the hashes; 0: any. Who shares with other monitors has theirs (Borrower::seed).
};

class MemoryManager final : public Chore, private MemoryOwner {
  public:
    static constexpr u64 kMostGuests = Monitor::kMaxProcessors;

    explicit MemoryManager(FrameSupply& supply) : supply_(supply), sharing_(supply), pager_(supply), random_(1) {}

    /// For guests of so many frames in all. Hears of revocation from now on.  Errors: of Sharing::open, upcall_set.
    Outcome open(const ManagerRules& rules, u64 guest_frames);
    /// Behind the last guest.
    Outcome close();

    /// A guest is managed from now on; `processor` tells whether it is busy. Null: there are too many.
    ManagedMemory* add(Memory& memory, Processor& processor);

    u64 tend(u64 now) override;

    Sharing& sharing() { return sharing_; }
    GuestPager& pager() { return pager_; }
    u64 scanned_through() const { return passes_; }  ///< How often all pages have been looked at.

    /// Put `count` pages out, of whichever guest. Returns how many it were.
    u64 page_out_any(u64 count);
    /// How things stand, as a record.
    void tell(const char* what, u64 now);

  private:
    struct Member {
        std::optional<ManagedMemory> memory;
        Processor* processor;
    };
    struct Heard {
        u64 request, tsc;
    };

    bool make_room() override;
    void page_lost(const ManagedMemory& memory, u64 guest_frame) override;
    void scan(u64 pages);
    bool all_idle() const;
    void answer(u64 now);
    bool is_late(const RevocationRequest& request, u64 place, u64 now);
    void give_named(const RevocationRequest& request);
    u64 read_balloons(std::span<Balloon, kMostGuests> balloons);
    void set_balloons(std::span<const Balloon> balloons);
    void deflate_some(u64 now);
    void use_single_frames();

    FrameSupply& supply_;
    ManagerRules rules_;
    Sharing sharing_;
    GuestPager pager_;
    libos::RandomNumbers random_;
    std::array<Member, kMostGuests> members_{};
    u64 count_ = 0;
    std::array<Heard, kRequests> heard_{};
    u64 next_guest_ = 0, next_frame_ = 0, passes_ = 0;  // where scanning goes on
    u64 asked_last_ = 0;                                // TSC
    u64 refused_ = 0;                                   // frames that the kernel had not, since balloons were last asked
    u64 next_report_ = 0, began_ = 0;
    u64 frames_asked_ = 0, scan_ticks_ = 0;
};

}  // namespace tessera::vmm
