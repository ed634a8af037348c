// Frames for a lender, owned by an environment of its own that does nothing else: the keeper. If the lender fails, nothing of what
// it has lent is lost, as frames go with their owner; and then nobody is left who could write them.
//
//   keeper                        one page of the keeper's                    lender
//   frame_alloc, one by one  -->  capabilities, up to kStock at a time  -->   fills a frame, lends it, in the end gives it back to
//                                                                             the kernel: Right::release is all that takes
//
// The keeper reads one word of the lender's, how many it wants, and has nothing to do with monitors but to outlive them.
#pragma once

#include <string_view>

#include "libos/ipc/shared_memory.hpp"

namespace tessera::vmm {

struct FrameStock {
    static constexpr u64 kStock = 24;
    alignas(64) u64 wanted;  ///< Frames in all, by the lender.
    alignas(64) u64 given;   ///< The same, by the keeper.
    Capability capability[kStock];
};
static_assert(sizeof(FrameStock) <= kPageSize);

/// The keeper.
class FrameKeeper {
  public:
    /// Offer frames to the environment called `lender`, waiting until there is one.  Errors: of frame_alloc, bind, post.
    Outcome open(std::string_view lender);
    /// Give what is wanted, then sleep until more is or `deadline`.
    void serve(u64 deadline);
    u64 given() const { return given_; }

  private:
    libos::SharedMemory page_;
    u64 given_ = 0;
};

/// The lender's side.
class KeptFrames {
  public:
    /// What the environment called `keeper` offers, waiting until it does.  Errors: of SharedMemory::accept.
    Outcome open(std::string_view keeper);
    /// A frame, zero, that nobody else can use. False: there is none just now.
    bool take(Capability& frame);
    /// What has come and was not taken goes back, and no more is asked for.
    void hold_back();
    void go_on();
    EnvId keeper() const { return keeper_; }

  private:
    FrameStock& stock() const { return page_.at<FrameStock>(0); }
    bool take_next(Capability& frame);

    libos::SharedMemory page_;
    EnvId keeper_;
    u64 taken_ = 0;
    bool held_back_ = false;
};

}  // namespace tessera::vmm
