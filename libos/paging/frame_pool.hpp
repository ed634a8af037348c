// Frames by the range: one call, one capability, however many. Bindings of them all are authorised by the same
// bytes, so that the kernel checks the tag once and finds it checked from then on.
#pragma once

#include <array>

#include "libos/core/call.hpp"
#include "libos/paging/losses.hpp"

namespace tessera::libos {

class FramePool {
  public:
    static constexpr u64 kMaxFrames = 4096;

    FramePool() = default;
    FramePool(const FramePool&) = delete;
    FramePool& operator=(const FramePool&) = delete;

    /// Take `count` frames, at most kMaxFrames, from the kernel.  Errors: of frame_alloc, bad_argument.
    Outcome open(u64 count, u64 alignment = 1);
    /// Give them all back. Every binding of them is gone then.  Errors: of frame_release.
    Outcome close();

    /// Give up to `count` of those that nobody uses back to the kernel, from the highest down; how many it were. They do not come
    /// back to this pool: memory that is there again later takes another pool, and a source of its own.
    u64 release(u64 count);
    /// The same for those among `count` named ones.
    u64 release_named(FrameNumber first, u64 count);
    /// Some may have been taken by force: forget those among the unused ones. Returns how many.
    u64 forget_lost();
    /// Is it a frame of this pool, and not given back or lost?
    bool holds(FrameNumber frame) const { return frame - first_ < count_ && libos::holds(capability_, frame); }

    /// A frame that nobody uses; kAny: none left. `is_zero`: it has never been used, so it is still zero.
    FrameNumber take(bool& is_zero);
    void give(FrameNumber frame);

    const Capability& capability() const { return capability_; }
    FrameNumber first() const { return first_; }
    u64 count() const { return count_; }  ///< How many there were when it was opened.
    u64 free() const { return free_; }

  private:
    bool is_free(u64 index) const { return index < untouched_ ? returned_[index / 64] >> index % 64 & 1 : index < end_; }
    void drop(u64 index);
    u64 give_back(u64 first, u64 count);
    u64 release_some(u64 from, u64 end, u64 count);

    Capability capability_;
    FrameNumber first_;
    u64 count_ = 0;
    u64 free_ = 0;
    u64 untouched_ = 0;  // from this one on, up to
    u64 end_ = 0;        // this one, none was ever taken
    u64 hint_ = 0;       // no returned frame is in a word below this one
    std::array<u64, kMaxFrames / 64> returned_{};
};

}  // namespace tessera::libos
