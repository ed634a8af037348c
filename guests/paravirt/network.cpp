// The network as two rings: packets to send, and frames for packets to come.

#include <algorithm>
#include <cstring>

#include "guests/paravirt/ring.hpp"
#include "guests/small/calls.hpp"
#include "guests/small/machine.hpp"

namespace small {

using namespace paravirt;

namespace paravirt_layer {
namespace {

constexpr u32 kBuffers = 16;
RingEnd outgoing, incoming;
// A frame each: what a receiving frame is made of may be exchanged for what the packet came in.
alignas(kPageSize) u8 in_buffers[kBuffers][kPageSize], out_buffers[kBuffers][kPageSize];
bool out_busy[kBuffers];
bool present;

void offer(u64 id) { incoming.ask({id, Operation::buffer, kPageSize, 0, address_of(in_buffers[id])}); }

}  // namespace

void start_network() {
    if (!start->has_network || !outgoing.start(RingKind::transmit) || !incoming.start(RingKind::receive)) return;
    for (u64 i = 0; i < kBuffers; ++i) offer(i);
    incoming.notify();
    present = true;
}

}  // namespace paravirt_layer

namespace machine {

using namespace paravirt_layer;

bool has_network() { return present; }
const u8* network_address() { return paravirt_layer::start->network_address; }

bool send_packet(const u8* data, u64 size) {
    for (Response response; outgoing.take(response);)
        if (response.id < kBuffers) out_busy[response.id] = false;
    u64 free = 0;
    while (free < kBuffers && out_busy[free]) ++free;
    if (!present || free == kBuffers || size > kMaxPacket) return false;
    std::memcpy(out_buffers[free], data, size);
    out_busy[free] = true;
    outgoing.ask({free, Operation::send, static_cast<u32>(size), 0, address_of(out_buffers[free])});
    outgoing.notify();
    return true;
}

u64 receive_packet(u8* data, u64 capacity) {
    Response response;
    if (!present || !incoming.take(response) || response.id >= kBuffers) return 0;
    const u64 size = response.failed == 0 ? std::min<u64>(std::min<u64>(response.size, kPageSize), capacity) : 0;
    std::memcpy(data, in_buffers[response.id], size);
    offer(response.id);
    return size;
}

}  // namespace machine
}  // namespace small
