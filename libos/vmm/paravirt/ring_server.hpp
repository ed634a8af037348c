// The monitor's end of a ring. What the guest wrote is read once; a ring that breaks the rules is not served any more.
#pragma once

#include "libos/vmm/guest_memory.hpp"
#include "libos/vmm/paravirt/interface.hpp"

namespace tessera::vmm::paravirt {

class RingServer {
  public:
    /// The frame was all zero; from here on the guest may have anything in it.
    void start(u64 frame) {
        *this = {};
        frame_ = frame;
        state_ = State::working;
    }
    bool working() const { return state_ == State::working; }
    const char* reason() const { return reason_; }  ///< Why not, if it once was.

    /// The next request. False: there is none, or the ring is broken.
    bool take(GuestMemory& memory, Request& request);
    /// Answer one that was taken. False: it is no more there to be answered.
    bool answer(GuestMemory& memory, const Response& response);
    u32 under_way() const { return under_way_; }

  private:
    enum class State { none, working, broken };

    bool broken(const char* reason);
    Ring* ring(GuestMemory& memory, bool write);

    u64 frame_ = 0;
    State state_ = State::none;
    const char* reason_ = "";
    u32 consumed_ = 0, produced_ = 0, under_way_ = 0;
    u64 ids_[kRingSlots]{};  ///< Of the requests under way.
};

}  // namespace tessera::vmm::paravirt
