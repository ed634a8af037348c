#include "libos/vmm/paravirt/ring_server.hpp"

#include <algorithm>
#include <cstring>

namespace tessera::vmm::paravirt {

bool RingServer::broken(const char* reason) {
    state_ = State::broken;
    reason_ = reason;
    return false;
}

Ring* RingServer::ring(GuestMemory& memory, bool write) {
    // Safety: a page is large enough for a ring, and at a page's border.
    return reinterpret_cast<Ring*>(memory.page(frame_, write));
}

bool RingServer::take(GuestMemory& memory, Request& request) {
    if (!working()) return false;
    const Ring* from = ring(memory, false);
    if (from == nullptr) return broken("its frame is gone");
    const u32 there = __atomic_load_n(&from->requests_produced, __ATOMIC_ACQUIRE) - consumed_;
    if (there == 0) return false;
    if (there > kRingSlots || under_way_ == kRingSlots) return broken("more requests than slots");
    std::memcpy(&request, &from->requests[consumed_ % kRingSlots], sizeof request);
    if (std::find(ids_, ids_ + under_way_, request.id) != ids_ + under_way_) return broken("two requests with one id");
    ids_[under_way_++] = request.id;
    ++consumed_;
    return true;
}

bool RingServer::answer(GuestMemory& memory, const Response& response) {
    u64* id = std::find(ids_, ids_ + under_way_, response.id);
    if (!working() || id == ids_ + under_way_) return false;
    Ring* to = ring(memory, true);
    if (to == nullptr) return broken("its frame is gone");
    *id = ids_[--under_way_];
    std::memcpy(&to->responses[produced_ % kRingSlots], &response, sizeof response);
    // Order: the response before the index that shows it.
    __atomic_store_n(&to->responses_produced, ++produced_, __ATOMIC_RELEASE);
    return true;
}

}  // namespace tessera::vmm::paravirt
