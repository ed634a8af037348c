// What stands behind a paravirtual guest's rings: a disk, and one end of a wire.
#pragma once

#include "libos/vmm/devices/disk.hpp"
#include "libos/vmm/devices/virtio_net.hpp"
#include "libos/vmm/paravirt/ring_server.hpp"

namespace tessera::vmm::paravirt {

/// Serves its ring when it is told to, in order, so that a barrier has nothing to wait for.
class RingDisk {
  public:
    explicit RingDisk(Disk& disk) : disk_(disk) {}
    RingServer& ring() { return ring_; }
    /// All requests that are there, at most a ring full. True: there are answers.
    bool serve(GuestMemory& memory);

  private:
    bool carry_out(GuestMemory& memory, const Request& request, u32& written);

    Disk& disk_;
    RingServer ring_;
};

class RingNetwork {
  public:
    /// `lent_at`: the guest-physical address of the port's first lent page.
    explicit RingNetwork(NetPort& port, u64 lent_at = 0) : port_(port), lent_(port.lent_pages()), lent_at_(lent_at) {}
    RingServer& transmit_ring() { return transmit_; }
    RingServer& receive_ring() { return receive_; }
    /// Send what is there to be sent. True: there are answers.
    bool transmit(GuestMemory& memory);
    /// A frame for the guest. False: it is lost, for want of a buffer.
    bool receive(GuestMemory& memory, std::span<const std::byte> frame, std::span<const std::byte> rest = {});

    /// A frame for the guest that is lent to it at `page`, but for its header, which comes another way. False: it is lost.
    bool receive_lent(GuestMemory& memory, std::span<const std::byte> header, u64 page, u64 size);

  private:
    std::optional<u64> lent_page(u64 address) const;
    Response carry_out(GuestMemory& memory, const Request& request);
    bool send(std::span<const std::byte> bytes);
    bool take_buffer(GuestMemory& memory, Request& request);

    NetPort& port_;
    LentPages* lent_;
    u64 lent_at_;
    RingServer transmit_, receive_;
    alignas(8) std::byte frame_[kMaxFrame];
};

}  // namespace tessera::vmm::paravirt
