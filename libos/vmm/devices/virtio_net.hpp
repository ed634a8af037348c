// A network card without offloads: whole Ethernet frames, one buffer each. (Virtio 1.1, 5.1 with its legacy interface.)
#pragma once

#include "libos/vmm/devices/net_port.hpp"
#include "libos/vmm/devices/virtio.hpp"

namespace tessera::vmm {

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
