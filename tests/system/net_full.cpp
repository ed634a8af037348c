// A port whose ring is full of small frames that nobody has answered yet: it can still give back what it received, and ask for more.
// Somebody who floods a guest that answers would otherwise take the network from it.
#include "libos/core/libos.hpp"
#include "libos/net/port.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

constexpr u64 kRounds = 40, kMost = 100'000;

SwitchPort port, peer;
u64 wrong;

void expect(const char* what, bool holds, u64 detail = 0) {
    if (holds) return;
    ++wrong;
    print("WRONG: ", what, ": ", detail, "\n");
}

struct Small {
    EthernetHeader header;
    u64 payload;
};
Outcome send(SwitchPort& from, const SwitchPort& to) {
    const Small frame{{to.address(), from.address(), {0x88, 0xb5}}, 1};
    return from.send(std::as_bytes(std::span(&frame, 1)));
}

}  // namespace

int libos_main() {
    use_network();
    if (!port.open("net_switch").ok() || !peer.open("net_switch").ok()) return print("no network\n"), 2;
    u64 filled = 0;
    for (u64 round = 0; round < kRounds && wrong == 0; ++round) {
        expect("the peer sends", send(peer, port).ok(), round);
        ReceivedFrame frame;
        auto came = port.receive(frame);
        while (came.ok() && !came.value() && port.wait().ok()) came = port.receive(frame);
        expect("it comes", came.ok() && came.value(), round);
        u64 sent = 0;
        while (sent < kMost && send(port, peer).ok()) ++sent;
        filled += sent < kMost;
        // What came goes back.
        came = port.receive(frame);
        expect("a port with a full ring goes on", came.ok(), static_cast<u64>(came.error()));
        expect("the switch takes it all", port.flush().ok() && peer.flush().ok(), round);
        do came = peer.receive(frame);
        while (came.ok() && came.value());
        expect("the peer's port is as it was", came.ok(), round);
    }
    expect("the ring was full", filled == kRounds, filled);
    port.close();
    peer.close();
    if (wrong == 0) print("right: a full ring is no end\n");
    return wrong == 0 ? 0 : 1;
}
