// The other end of a guest's wire: answers ARP requests (RFC 826) and echo requests (RFC 792) at once, as QEMU's user network
// does for the same guest on QEMU alone. Whoever asks is believed; what the answer is made of lies in the question.
#pragma once

#include <algorithm>

#include "libos/vmm/devices/virtio_net.hpp"

namespace tessera::bench {

class GuestPeer final : public vmm::NetPort {
  public:
    /// Where answers go: receiver.receive(frame).
    template <class Receiver>
    void answer_to(Receiver& receiver) {
        receiver_ = &receiver;
        deliver_ = [](void* to, std::span<const std::byte> frame) { static_cast<void>(static_cast<Receiver*>(to)->receive(frame)); };
    }

    void send(std::span<const std::byte> question) override {
        if (deliver_ == nullptr || question.size() < kLeast) return;
        std::ranges::transform(question, frame_, [](std::byte each) { return static_cast<u8>(each); });
        const u64 type = get16(kType);
        if (type == kArp && get16(kArpOperation) == kRequest) answer_arp();
        else if (type == kIp && is_echo_request()) answer_echo();
        else return;
        deliver_(receiver_, std::as_bytes(std::span(frame_, question.size())));
    }

  private:
    static constexpr u64 kLeast = 42;  // An ARP packet; Ethernet, IPv4 without options and ICMP.
    static constexpr u64 kFrom = 6, kType = 12, kBody = 14, kMac = 6, kAddress = 4;
    static constexpr u64 kArpOperation = 20, kArpFrom = 22, kArpTo = 32, kArpPair = 10;
    static constexpr u64 kIpProtocol = 23, kIpFrom = 26, kIpTo = 30, kIcmpType = 34, kIcmpSum = 36;
    static constexpr u64 kArp = 0x0806, kIp = 0x0800, kRequest = 1, kReply = 2;
    static constexpr u8 kPlainIp = 0x45, kIcmp = 1, kEchoRequest = 8, kEchoReply = 0;
    static constexpr u8 kOwn[kMac] = {0x52, 0x54, 0, 0, 0, 0xfe};

    u64 get16(u64 at) const { return u64{frame_[at]} << 8 | frame_[at + 1]; }
    void put16(u64 at, u64 value) { frame_[at] = static_cast<u8>(value >> 8), frame_[at + 1] = static_cast<u8>(value); }

    bool is_echo_request() const {
        return frame_[kBody] == kPlainIp && frame_[kIpProtocol] == kIcmp && frame_[kIcmpType] == kEchoRequest;
    }

    void answer_header() {
        std::copy_n(frame_ + kFrom, kMac, frame_);
        std::copy_n(kOwn, kMac, frame_ + kFrom);
    }
    void answer_arp() {
        answer_header();
        std::swap_ranges(frame_ + kArpFrom, frame_ + kArpFrom + kArpPair, frame_ + kArpTo);
        std::copy_n(kOwn, kMac, frame_ + kArpFrom);
        put16(kArpOperation, kReply);
    }
    // The IPv4 checksum does not change with the order of the addresses; ICMP's grows by what its type lost (RFC 1624).
    void answer_echo() {
        answer_header();
        std::swap_ranges(frame_ + kIpFrom, frame_ + kIpFrom + kAddress, frame_ + kIpTo);
        frame_[kIcmpType] = kEchoReply;
        const u64 sum = get16(kIcmpSum) + (u64{kEchoRequest} << 8);
        put16(kIcmpSum, (sum & 0xffff) + (sum >> 16));
    }

    void* receiver_ = nullptr;
    void (*deliver_)(void*, std::span<const std::byte>) = nullptr;
    u8 frame_[vmm::kMaxFrame];
};

}  // namespace tessera::bench
