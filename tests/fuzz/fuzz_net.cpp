// Any bytes as what two ports of a switch write into their rings, while two others keep the rules: what those send each other must
// arrive, from whom it says it is, and no frame may be lost or be in two hands at once.
//
// Four bytes an action: what, where, and a value. Most values are small, as those are the ones that nearly make sense.
#include <memory>

#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/net_host.hpp"

namespace tessera::fuzz {
namespace {

using namespace test;

constexpr u64 kHonest = 2, kPorts = 4;

struct Port {
    std::unique_ptr<NetRing> ring = std::make_unique<NetRing>();
    RingFront front{*ring};
    u32 frame = kNoFrame;
    u64 received = 0;
};

class World {
  public:
    World() {
        for (u64 i = 0; i < kPorts; ++i) {
            static_cast<void>(core_.connect(EnvId{i + 1}, *ports_[i].ring, i == kPorts - 1));
            for (u64 each = 0; i < kHonest && each < kReceiveFrames; ++each) ask(i, RequestKind::receive, kNoFrame);
        }
    }

    void act(const u8* action) {
        const u64 number = kHonest + action[0] % (kPorts - kHonest), value = action[2], where = action[3];
        if (!core_.is_open(number)) return open_again();
        Port& port = ports_[number];
        NetRing& ring = *port.ring;
        NetRequest& draft = drafts_[number];
        switch (action[0] / 4 % 16) {
            case 0: case 1: case 2: case 3: case 4: case 5:
                for (u64 i = 0; i <= value % 20; ++i) {
                    // A frame that was sent is none of its own any more: the next one is what the switch gave last.
                    if (i != 0 && draft.frame != kNoFrame) draft.frame = given(ring, i);
                    ring.request[ring.requests++ % kRingSlots] = draft;
                }
                break;
            case 6: draft.kind = value % 8 == 0 ? static_cast<RequestKind>(value) : value % 2 ? RequestKind::send : RequestKind::receive; break;
            case 7: draft.frame = static_cast<u32>(value); break;
            case 8: draft.frame = kNoFrame; break;
            case 9: case 10: draft.frame = given(ring, where); break;
            case 11: draft.length = static_cast<u16>(value % 4 == 0 ? 0 : value % 4 == 1 ? 1000 : value | action[1] << 8); break;
            case 12: draft.header.to = action[1] % 2 ? kBroadcast : core_.address(value % kPorts); break;
            case 13: draft.header.from = core_.address(value % 3 ? number : value % kPorts); break;
            case 14: ring.address[action[1] % 6] = action[2]; break;
            case 15: (action[1] % 2 ? ring.requests : ring.responses) += value << where % 57; break;
        }
    }

    /// A frame from one honest port to the other, in the ring or exchanged, by turns.
    const char* exchange(u64 from) {
        Port &sender = ports_[from], &receiver = ports_[1 - from];
        const u64 before = receiver.received;
        if (sender.frame == kNoFrame) ask(from, RequestKind::send, kNoFrame);
        if (const char* broken = run()) return broken;
        NetRequest request{};
        request.id = 1;
        request.kind = RequestKind::send;
        request.frame = before % 2 ? sender.frame : kNoFrame;
        request.length = before % 2 ? 1000 : 100;
        request.header = {receiver.ring->address, sender.ring->address, {8, 0}};
        if (before % 2) {
            if (sender.frame == kNoFrame) return "there is no frame for who keeps the rules";
            sender.frame = kNoFrame;
        }
        if (!sender.front.put(request, sizeof request)) return "a ring that is full of nothing";
        if (const char* broken = run()) return broken;
        return receiver.received == before + 1 ? nullptr : "a frame between honest ports did not arrive";
    }

    const char* end() {
        for (u64 i = 0; i < kHonest; ++i)
            if (!core_.is_open(i)) return "an honest port was cut off";
        for (u64 i = 0; i < kPorts; ++i) {
            u64 held = 0;
            for (u32 frame = 0; frame < core_.frames(); ++frame) held += core_.holds(i, frame);
            if (held > Switch::kFramesOfPort) return "a port has more frames than it may hold";
            core_.disconnect(i);
        }
        if (core_.frames_home() != core_.frames()) return "frames were lost";
        return host_.wrong() == 0 ? nullptr : "a frame was in two hands";
    }

  private:
    static u32 given(const NetRing& ring, u64 back) { return ring.response[(ring.responses - 1 - back % 16) % kRingSlots].frame; }

    /// All that were cut off, in order, so that each has the place that it had.
    void open_again() {
        for (u64 i = kHonest; i < kPorts; ++i) {
            if (core_.is_open(i)) continue;
            *ports_[i].ring = NetRing{};
            static_cast<void>(core_.connect(EnvId{i + 1}, *ports_[i].ring, i == kPorts - 1));
            drafts_[i] = {};
        }
    }

    void ask(u64 number, RequestKind kind, u32 frame) {
        NetRequest request{};
        request.id = static_cast<u32>(kind);
        request.kind = kind;
        request.frame = frame;
        static_cast<void>(ports_[number].front.put(request));
    }

    // Bounded: a ring can hold no more than that, whatever it claims.
    const char* run() {
        for (u64 i = 0; i < 4 * kRingSlots && core_.sweep(); ++i)
            for (u64 each = 0; each < kHonest; ++each)
                if (const char* broken = take(each)) return broken;
        return core_.has_work() ? "the switch goes on for ever" : nullptr;
    }

    const char* take(u64 number) {
        Port& port = ports_[number];
        NetResponse response;
        for (;;) {
            const auto got = port.front.get(response);
            if (!got.ok()) return "the switch counts what cannot be";
            if (!got.value()) return nullptr;
            const bool filling = response.id == static_cast<u32>(RequestKind::send);
            if (response.frame != kNoFrame && !host_.good(response, EnvId{number + 1}, filling ? Right::read | Right::write : Rights(Right::read)))
                return "a capability that is not for this frame, or not for this port";
            if (filling) {
                if (response.frame != kNoFrame) port.frame = response.frame;
                continue;
            }
            for (u64 each = 0; each < kHonest; ++each)
                if (response.header.from == core_.address(each)) {
                    if (each != 1 - number) return "a frame in another's name";
                    ++port.received;
                }
            ask(number, RequestKind::receive, response.frame);
        }
    }

    u64 slices_ = 0;
    CountingHost host_{slices_};
    Switch core_{host_, Switch::frames_for(kPorts)};
    Port ports_[kPorts];
    NetRequest drafts_[kPorts]{};
};

}  // namespace

std::vector<std::vector<u8>> seeds() {
    // Frames asked for and sent to everybody; in another's name; more asked for than it may have; frames that were never given.
    const u8 put = 0, kind = 6 * 4, frame = 7 * 4, none = 8 * 4, own = 9 * 4, length = 11 * 4, to = 12 * 4, from = 13 * 4, count = 15 * 4;
    return {{kind, 1, 1, 0, none, 1, 0, 0, put, 1, 3, 0, length, 0, 1, 0, from, 1, 1, 0, to, 1, 0, 0, own, 1, 0, 0, put, 0, 0, 0, own, 1, 0, 0, put, 0, 0, 0},
            {kind, 1, 1, 0, none, 1, 0, 0, length, 0, 101, 0, from, 1, 0, 0, to, 2, 1, 0, put, 0, 0, 0, put, 4, 2, 0},
            {kind, 1, 1, 0, none, 1, 0, 0, put, 1, 15, 0, put, 0, 1, 0, none + 1, 1, 0, 0, put + 1, 0, 16, 0},
            {kind, 1, 2, 0, none, 1, 0, 0, put, 0, 19, 0, frame, 1, 40, 0, put, 0, 0, 0, count, 1, 200, 0},
            {kind, 1, 1, 0, length, 0, 1, 0, frame, 1, 7, 0, put, 0, 0, 0, put, 0, 3, 0}};
}

}  // namespace tessera::fuzz

extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size) {
    constexpr std::size_t kAction = 4, kMostActions = 256;
    const auto world = std::make_unique<tessera::fuzz::World>();
    tessera::u64 turn = 0;
    for (std::size_t at = 0; at + kAction <= size && at < kAction * kMostActions; at += kAction) {
        world->act(data + at);
        if (data[at + 1] % 4 == 0) tessera::fuzz::expect_kept(world->exchange(turn++ % 2));
    }
    tessera::fuzz::expect_kept(world->exchange(turn % 2));
    tessera::fuzz::expect_kept(world->end());
    return 0;
}
