// A port of a switch that is slow: its ring full of small frames that nobody has answered, it can still say that it has read a
// frame and wants the next one, and being told that there is none is not the end of the network.
//
//   role=switch peer=NAME    takes that port's requests, delivers one frame, and answers nothing more
//   role=port peer=NAME      the port
#include "libos/net/port.hpp"
#include "libos/net/switch_program.hpp"
#include "libos/transfer/board.hpp"
#include "libos/transfer/wait.hpp"
#include "tests/system/attack.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr u64 kPayload = 46;

void nobody_calls() {}

void be_switch() {
    static SharedMemory memory;
    use_shared_memory();
    static Capability bell;
    expect("an entry", answer_to<EntryPublish>({0, VirtAddr{reinterpret_cast<u64>(nobody_calls)}, 0, address(bell)}), Error::ok);
    expect("a bell", post(kBellPost, bell).error(), Error::ok);
    const auto posted = await_post(argument("peer"), kRingPost);
    expect("its ring", posted.ok() ? memory.attach(posted.value(), kRingPages, Right::read | Right::write).error() : posted.error(), Error::ok);
    if (wrong != 0) return;
    NetRing& ring = memory.at<NetRing>(0);
    RingBack back(ring);
    ring.address = {2, 0, 0, 0, 0, 1};
    publish(ring.state, static_cast<u64>(PortState::open));
    NetRequest request;
    NetResponse response;
    response.frame = kNoFrame;
    bool delivered = false;
    const EnvId port = find_environment(argument("peer"));
    // Frames to fill there are none, and of those to read one, in the ring.
    for (u64 taken = 0; taken < kSendFrames + kReceiveFrames && is_alive(port);) {
        const auto got = back.take(request);
        expect_true("a request", got.ok());
        if (!got.ok() || !got.value()) {
            yield(port);
            continue;
        }
        ++taken;
        const bool to_read = request.kind == RequestKind::receive;
        if (to_read && delivered) continue;
        delivered |= to_read;
        response.id = request.id;
        response.status = to_read ? NetStatus::done : NetStatus::no_frame;
        response.length = to_read ? kEthernetHeader + kPayload : 0;
        back.answer(response, sizeof response);
    }
    while (is_alive(port)) static_cast<void>(call<Wait>({{}, 0, ticks() + information().quantum, 0}));
}

void be_port() {
    static SwitchPort port;
    use_network();
    expect("a port", port.open(argument("peer")).error(), Error::ok);
    if (wrong != 0) return;
    ReceivedFrame frame{};
    auto came = port.receive(frame);
    while (came.ok() && !came.value() && port.wait().ok()) came = port.receive(frame);
    expect_true("a frame", came.ok() && came.value() && frame.payload.size() == kPayload);
    const std::array<std::byte, kEthernetHeader + kPayload> small{};
    u64 sent = 0;
    while (sent <= kRingSlots && port.send(small).ok()) ++sent;
    expect_true("some are sent, and then no more", sent != 0 && sent <= kRingSlots, sent);
    came = port.receive(frame);
    expect_true("there is no frame, and that is all", came.ok() && !came.value(), static_cast<u64>(came.error()));
}

}  // namespace

int libos_main() {
    if (argument("role") == "switch")
        be_switch();
    else
        be_port();
    return verdict("full ring");
}
