// Frames by the range: one call, one capability, however many. Bindings of them all are authorised by the same
// bytes, so that the kernel checks the tag once and finds it checked from then on.
#pragma once

#include <array>

#include "libos/core/call.hpp"

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

    /// A frame that nobody uses; kAny: none left. `is_zero`: it has never been used, so it is still zero.
    FrameNumber take(bool& is_zero);
    void give(FrameNumber frame);

    const Capability& capability() const { return capability_; }
    FrameNumber first() const { return first_; }
    u64 count() const { return count_; }
    u64 free() const { return free_; }

  private:
    Capability capability_;
    FrameNumber first_;
    u64 count_ = 0;
    u64 free_ = 0;
    u64 untouched_ = 0;  // from this one on, none was ever taken
    u64 hint_ = 0;       // no returned frame is in a word below this one
    std::array<u64, kMaxFrames / 64> returned_{};
};

}  // namespace tessera::libos
