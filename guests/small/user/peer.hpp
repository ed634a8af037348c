// Enough of ARP (RFC 826) and ICMP echo (RFC 792) to ask a peer on the wire for an answer, and to answer one.
#pragma once

#include "guests/small/user/user.hpp"

namespace small {

/// One wire, one peer: addresses from the command line (`ip=`, `peer=`), or those of QEMU's user network.
class Peer {
  public:
    /// False if there is no network or nobody says that he is the peer.
    bool find();
    /// Send an echo request of `size` bytes of data and wait for its answer. False if it is late or wrong.
    bool echo(u16 sequence, u64 size);
    /// Answer ARP and echo requests, `count` of the latter.
    void serve(u64 count);

    bool open();

  private:
    bool next_packet(u64 patience);
    void answer_arp();
    bool answer_echo();
    void address_to(const u8* hardware);

    u8 own_hardware_[6]{}, peer_hardware_[6]{}, own_[4]{10, 0, 2, 15}, peer_[4]{10, 0, 2, 2};
    u8 packet_[kMaxPacket]{};
    u64 size_ = 0;
};

}  // namespace small
