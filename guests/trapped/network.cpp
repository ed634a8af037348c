// A virtio network card (virtio 1.2, 5.1), without offloads: each packet has a header of ten zero bytes before it, in a
// descriptor of its own as legacy devices want it.

#include <algorithm>
#include <cstring>

#include "guests/small/calls.hpp"
#include "guests/small/machine.hpp"
#include "guests/trapped/cards.hpp"
#include "guests/trapped/interrupts.hpp"
#include "guests/trapped/registers.hpp"
#include "guests/trapped/virtio.hpp"

namespace small {
namespace trapped {
namespace {

constexpr u32 kHasAddress = 1 << 5;
constexpr u32 kBuffers = 16, kHeader = 10, kBufferSize = 2048;
static_assert(kHeader + kMaxPacket <= kBufferSize);

VirtQueue incoming, outgoing;
alignas(kBufferSize) u8 in_buffers[kBuffers][kBufferSize], out_buffers[kBuffers][kBufferSize];
bool out_busy[kBuffers];
u8 address[6];
u16 io_base;
bool present;

void on_interrupt() {
    in8(io_base + kInterruptStatus);
    on_packet();
}

void offer_incoming(u32 group) {
    const u64 buffer = reinterpret_cast<u64>(in_buffers[group]);
    const Piece pieces[] = {{buffer, kHeader, true}, {buffer + kHeader, kBufferSize - kHeader, true}};
    incoming.offer(group, pieces, 2);
}

}  // namespace

void start_network() {
    const PciDevice device = find_pci(0x1af4, 0x1000);
    if (!device) return;
    io_base = device.io_base;
    const u32 features = begin_virtio(device, kHasAddress);
    if (!(features & kHasAddress) || !incoming.start(io_base, 0, 2) || !outgoing.start(io_base, 1, 2)) return;
    if (incoming.groups() < kBuffers || outgoing.groups() < kBuffers) return;
    for (u16 i = 0; i < sizeof address; ++i) address[i] = in8(io_base + kDeviceConfig + i);
    outgoing.want_no_interrupts();
    handle_line(device.line, on_interrupt);
    finish_virtio(device);
    for (u32 i = 0; i < kBuffers; ++i) offer_incoming(i);
    incoming.notify();
    present = true;
}

}  // namespace trapped

namespace machine {

using namespace trapped;

bool has_network() { return present; }
const u8* network_address() { return address; }

bool send_packet(const u8* data, u64 size) {
    for (u32 group, written; outgoing.take(group, written);)
        if (group < kBuffers) out_busy[group] = false;
    u32 free = 0;
    while (free < kBuffers && out_busy[free]) ++free;
    if (!present || free == kBuffers || size > kMaxPacket) return false;
    std::memset(out_buffers[free], 0, kHeader);
    std::memcpy(out_buffers[free] + kHeader, data, size);
    out_busy[free] = true;
    const u64 buffer = reinterpret_cast<u64>(out_buffers[free]);
    const Piece pieces[] = {{buffer, kHeader, false}, {buffer + kHeader, static_cast<u32>(size), false}};
    outgoing.offer(free, pieces, 2);
    outgoing.notify();
    return true;
}

u64 receive_packet(u8* data, u64 capacity) {
    u32 group, written;
    if (!present || !incoming.take(group, written) || group >= kBuffers) return 0;
    const u64 size = written > kHeader && written <= kBufferSize ? std::min<u64>(written - kHeader, capacity) : 0;
    std::memcpy(data, in_buffers[group] + kHeader, size);
    offer_incoming(group);
    incoming.notify();
    return size;
}

}  // namespace machine
}  // namespace small
