// A network card without offloads: whole Ethernet frames, one buffer each. (Virtio 1.1, 5.1 with its legacy interface.)
#pragma once

#include <array>

#include "libos/vmm/devices/virtio.hpp"

namespace tessera::vmm {

using MacAddress = std::array<u8, 6>;
inline constexpr u64 kMinFrame = 14, kMaxFrame = 1518;  ///< Header; and with 1500 bytes in it, a VLAN tag too.

/// Where the card's cable leads: a switch.
class NetPort {
  public:
    /// The guest sent a frame of kMinFrame to kMaxFrame bytes, good during the call. Nothing in it is to be believed.
    virtual void send(std::span<const std::byte> frame) = 0;
    /// Where it would have the next frame, kMaxFrame bytes; empty: anywhere, as it copies.
    virtual std::span<std::byte> room() { return {}; }

  protected:
    ~NetPort() = default;
};

class VirtioNet final : public VirtioDevice {
  public:
    VirtioNet(GuestMemory& memory, GuestLog& log, NetPort& port, const MacAddress& mac);

    const MacAddress& mac() const { return mac_; }
    /// A frame for the guest, in one piece or two. False: it is lost, as the guest has no buffer for it (yet), or it is no frame.
    bool receive(std::span<const std::byte> frame, std::span<const std::byte> rest = {});

    u64 frames_sent() const { return sent_; }
    u64 frames_received() const { return received_; }
    u64 frames_lost() const { return lost_; }  ///< Either way.

  private:
    enum Queue : u32 { kReceive = 0, kSend = 1 };

    void on_notify(u32 queue) override;
    u8 config(u32 offset) const override;
    u32 send(const Chain& chain);

    NetPort& port_;
    MacAddress mac_;
    u64 sent_ = 0, received_ = 0, lost_ = 0;
    alignas(8) std::byte frame_[kMaxFrame];
};

}  // namespace tessera::vmm
