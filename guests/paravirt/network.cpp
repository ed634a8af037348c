// The network as two rings: packets to send, and frames for packets to come. What is large is written into and read from pages that
// the monitor lends, where there are such; then nobody below this kernel copies it.

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
constexpr u64 kHeader = 14, kAddressBits = 48;
RingEnd outgoing, incoming;
alignas(kPageSize) u8 in_buffers[kBuffers][kPageSize], out_buffers[kBuffers][kPageSize];
bool out_busy[kBuffers];
bool present;

/// Lent pages to fill, one each for a hardware address: a request's id is kBuffers + the place here.
struct Room {
    u64 to = 0, page = 0;
    bool asked = false;
};
constexpr u32 kRooms = 8;
Room rooms[kRooms];

void offer(u64 id, u64 read = 0) { incoming.ask({id, Operation::buffer, kPageSize, {read}, address_of(in_buffers[id])}); }

u64 receiver_of(const u8* packet) {
    u64 to = 0;
    std::memcpy(&to, packet, kAddressBits / 8);
    return to;
}

void ask_for_room(u64 place, u64 to) {
    rooms[place] = {to, 0, true};
    outgoing.ask({kBuffers + place, Operation::room, 0, {to}, 0});
}

void take_answers() {
    for (Response response; outgoing.take(response);) {
        if (response.id < kBuffers) out_busy[response.id] = false;
        else if (response.id < kBuffers + kRooms) {
            // A packet that was refused stays where it is, and is lost.
            Room& room = rooms[response.id - kBuffers];
            room.asked = false;
            if (response.failed == 0) room.page = response.address;
        }
    }
}

/// Where a packet to that address may be written; if there is no such place, one is asked for.
Room* room_for(u64 to) {
    Room* free = nullptr;
    for (Room& room : rooms) {
        if (room.asked) {
            if (room.to == to) return nullptr;
            continue;
        }
        if (room.page != 0 && room.to == to) return &room;
        if (room.page == 0) free = &room;
    }
    if (free == nullptr) return nullptr;
    ask_for_room(static_cast<u64>(free - rooms), to);
    outgoing.notify();
    take_answers();
    return free->page != 0 && !free->asked ? free : nullptr;
}

bool send_lent(const u8* data, u64 size) {
    constexpr u8 kGroup = 1;
    if (start->lent_page_count == 0 || size <= kLeastLent || (data[0] & kGroup) != 0) return false;
    Room* const room = room_for(receiver_of(data));
    if (room == nullptr) return false;
    std::memcpy(reinterpret_cast<u8*>(room->page), data, size);
    room->asked = true;
    outgoing.ask({kBuffers + static_cast<u64>(room - rooms), Operation::send, static_cast<u32>(size), {}, room->page});
    return true;
}

bool send_copied(const u8* data, u64 size) {
    u64 free = 0;
    while (free < kBuffers && out_busy[free]) ++free;
    if (free == kBuffers) return false;
    std::memcpy(out_buffers[free], data, size);
    out_busy[free] = true;
    outgoing.ask({free, Operation::send, static_cast<u32>(size), {}, address_of(out_buffers[free])});
    return true;
}

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
    take_answers();
    if (!present || size > kMaxPacket || (!send_lent(data, size) && !send_copied(data, size))) return false;
    outgoing.notify();
    return true;
}

u64 receive_packet(u8* data, u64 capacity) {
    Response response;
    if (!present || !incoming.take(response) || response.id >= kBuffers) return 0;
    const u64 size = response.failed == 0 ? std::min<u64>(std::min<u64>(response.size, kPageSize), capacity) : 0;
    const u64 direct = response.address != 0 ? std::min(size, kHeader) : size;
    std::memcpy(data, in_buffers[response.id], direct);
    std::memcpy(data + direct, reinterpret_cast<const u8*>(response.address) + direct, size - direct);
    offer(response.id, response.address);
    return size;
}

}  // namespace machine
}  // namespace small
