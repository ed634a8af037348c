// Frames out and in, each behind a header that says nothing, as nothing was negotiated that it could say.
#include "libos/vmm/devices/virtio_net.hpp"

namespace tessera::vmm {
namespace {

enum Feature : u32 { kMac = 5, kStatus = 16 };
constexpr u64 kNetHeader = 10;  // struct virtio_net_hdr without num_buffers (5.1.6.1).
constexpr u8 kLinkUp = 1;
constexpr VirtioKind kKind{
    "virtio-net", 1, 0x1000, 0x02'0000, 1u << kMac | 1u << kStatus, {kMaxQueueSize, kMaxQueueSize, 0}};

}  // namespace

VirtioNet::VirtioNet(GuestMemory& memory, GuestLog& log, NetPort& port, const MacAddress& mac)
    : VirtioDevice(kKind, memory, log), port_(port), mac_(mac) {}

u8 VirtioNet::config(u32 offset) const {
    if (offset < mac_.size()) return mac_[offset];
    return offset == mac_.size() ? kLinkUp : u8{0};
}

void VirtioNet::on_notify(u32 queue) {
    if (queue == kSend) serve_all(queue, [this](const Chain& chain) { return send(chain); });
}

u32 VirtioNet::send(const Chain& chain) {
    const u64 size = chain.readable() - kNetHeader;
    if (chain.readable() < kNetHeader + kMinFrame || size > kMaxFrame) {
        ++lost_;
        return 0;
    }
    MacAddress to{};
    bool there = chain.read(memory_, kNetHeader, std::as_writable_bytes(std::span(to)));
    const std::span<std::byte> room = port_.room(to);
    const std::span<std::byte> frame(room.empty() ? frame_ : room.data(), size);
    there = there && chain.read(memory_, kNetHeader, frame);
    if (!there) {
        give_up(kSend, "a frame that is not in memory");
        return 0;
    }
    ++sent_;
    port_.send(frame);
    return 0;
}

bool VirtioNet::receive(std::span<const std::byte> frame, std::span<const std::byte> rest) {
    const u64 size = frame.size() + rest.size();
    if (size < kMinFrame || size > kMaxFrame || !take(kReceive)) {
        ++lost_;
        return false;
    }
    const u16 head = chain_.head();
    constexpr std::byte kEmptyHeader[kNetHeader]{};
    if (!chain_.write(memory_, 0, kEmptyHeader) || !chain_.write(memory_, kNetHeader, frame) ||
        !chain_.write(memory_, kNetHeader + frame.size(), rest)) {
        give_up(kReceive, "a receive buffer that is too small or not in memory");
        ++lost_;
        return false;
    }
    finish(kReceive, head, static_cast<u32>(kNetHeader + size));
    ++received_;
    return true;
}

}  // namespace tessera::vmm
