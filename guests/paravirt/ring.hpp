// The guest's end of a ring (libos/vmm/paravirt/interface.hpp): requests by slot number, which is their id.
#pragma once

#include "guests/paravirt/hypercall.hpp"

namespace small::paravirt_layer {

class RingEnd {
  public:
    /// False if the monitor has no such ring.
    bool start(paravirt::RingKind kind) {
        kind_ = kind;
        return hypercall(paravirt::Hypercall::start_ring, static_cast<u64>(kind), address_of(&ring_)) >= 0;
    }

    /// Not more at a time than kRingSlots without an answer: the caller counts.
    void ask(const paravirt::Request& request) {
        ring_.requests[produced_ % paravirt::kRingSlots] = request;
        ++produced_;
        // Order: the request before the index that shows it.
        __atomic_store_n(&ring_.requests_produced, produced_, __ATOMIC_RELEASE);
    }
    void notify() { hypercall(paravirt::Hypercall::notify_ring, static_cast<u64>(kind_)); }

    /// The next response, if there is one.
    bool take(paravirt::Response& response) {
        if (__atomic_load_n(&ring_.responses_produced, __ATOMIC_ACQUIRE) == consumed_) return false;
        response = ring_.responses[consumed_++ % paravirt::kRingSlots];
        return true;
    }

  private:
    struct alignas(kPageSize) WholeFrame : paravirt::Ring {};
    WholeFrame ring_{};
    paravirt::RingKind kind_{};
    u32 produced_ = 0, consumed_ = 0;
};

}  // namespace small::paravirt_layer
