// The frames that guests are made of, by the run: one capability for each run that the kernel gave.
//
// Frames go back to the kernel as soon as no guest uses them, which clears them before anybody sees them again: so one
// guest never finds what another left. All guests of a monitor share one supply.
#pragma once

#include <span>
#include <utility>

#include "libos/vmm/monitor/windows.hpp"

namespace tessera::vmm {

/// A frame, and which capability stands for it.
struct SuppliedFrame {
    FrameNumber number;
    u64 run;
    constexpr bool operator==(const SuppliedFrame&) const = default;
};

class FrameSupply {
  public:
    // What a GuestFrame has room for, half for runs and half for loans.
    static constexpr u64 kMostRuns = 0x8000, kMostLoans = 0x8000;
    static constexpr u64 kRuns = 1024;  ///< There is room for so many runs; after `grow` for up to kMostRuns.
    static constexpr u64 kBatch = 64;  ///< Single frames are taken from the kernel in runs of so many, or of fewer where it has not that many.

    constexpr FrameSupply() = default;
    FrameSupply(const FrameSupply&) = delete;
    FrameSupply& operator=(const FrameSupply&) = delete;

    /// Room for `runs` more: where memory is short and in pieces, each frame may be one.  Errors: of frame_alloc; exhausted: it has grown, or that
    /// is too many.
    Outcome grow(u64 runs);
    /// From now on it takes no frame beyond so many (Error::quota), whatever the kernel would give.
    void set_most(u64 frames) { most_ = frames; }

    /// `count` frames in a row from a multiple of `alignment` on, all zero. The first of them.
    /// Errors: of frame_alloc; exhausted: all runs are in use.
    Result<SuppliedFrame> take_run(u64 count, u64 alignment);
    /// One frame, zero.  Errors: as take_run.
    Result<SuppliedFrame> take();
    /// Somebody else's frames: they are used, and never given back. The first of them.  Errors: exhausted.
    Result<SuppliedFrame> adopt(const Capability& capability);
    /// Nothing of ours stands on what was adopted with this frame: its place is free for others.
    void disown(SuppliedFrame frame);

    /// From now on single frames are adopted at these places, which must stay; up to kMostLoans.  Errors: of frame_alloc.
    Outcome open_loans(std::span<Capability> places);
    /// Nothing is borrowed any more.  Errors: of frame_release.
    Outcome close_loans();

    /// Back to the kernel with `count` from that frame on, all of one run. Every binding of them is gone then.
    void give(SuppliedFrame first, u64 count = 1);

    /// Back with what was taken in advance and nobody uses yet. Returns how many frames it were, below kBatch.
    u64 trim();

    const Capability& capability(u64 run) const { return is_loan(run) ? loans_[run - kMostRuns] : at(run).capability; }
    bool is_adopted(u64 run) const { return is_loan(run) || at(run).adopted; }
    /// Borrowed: it may be gone at any moment.
    static constexpr bool is_loan(u64 run) { return run >= kMostRuns; }
    /// Zeros, to be bound for reading where a loan is gone: whoever touches it goes on, and finds out behind that.
    const Capability& stand_in() const { return stand_in_; }
    /// Frames that were taken and not given back.
    u64 taken() const { return taken_; }

  private:
    struct Run {
        Capability capability;
        u64 live = 0;  // frames
        u32 next = 0;  // of the free places: 1 + number; 0: the last
        bool adopted = false;
    };
    static constexpr u64 kNone = kMostRuns;

    const Run& at(u64 place) const { return place < kRuns ? runs_[place] : reinterpret_cast<const Run*>(more_memory_.memory())[place - kRuns]; }
    Run& at(u64 place) { return const_cast<Run&>(std::as_const(*this).at(place)); }
    u64 free_place() const { return free_ != 0 ? free_ - 1 : untouched_ < kRuns + more_ ? untouched_ : kNone; }
    Run& take_place(u64 place);
    Result<SuppliedFrame> take_batch();
    void free_run(u64 place);

    Run runs_[kRuns];
    RunWindow more_memory_;
    u64 more_ = 0;       // runs that it has room for
    u32 free_ = 0;       // 1 + number of the first free place that was used before; 0: none
    u64 untouched_ = 0;  // those from here on were not
    u64 batch_ = kBatch, batches_ = 0;  // how many frames are asked for, and how often that went well
    u64 open_ = kNone;   // single frames come from this run,
    u64 open_used_ = 0;  // of which so many have been handed out
    u64 taken_ = 0, most_ = kAny;
    std::span<Capability> loans_;   // a free place is of kind none; `first` is 1 + the next free one
    u64 free_loan_ = 0;             // 1 + index
    Capability stand_in_{};
};

}  // namespace tessera::vmm
