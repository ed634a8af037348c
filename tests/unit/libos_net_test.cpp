// The switch without a kernel: rings, addresses, and ports that keep the rules, bend them, or write anywhere at any time.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "libos/net/frame_bank.hpp"
#include "libos/net/switch_core.hpp"
#include "tests/unit/libos_kernel.hpp"
#include "tests/unit/net_world.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::libos;
using namespace tessera::test;

namespace {

MacAddress mac(u8 last) { return {2, 0, 0, 0, 0, last}; }

}  // namespace

TEST_CASE("net: the ring carries requests and responses, and no more than it holds") {
    const auto ring = std::make_unique<NetRing>();
    RingFront front(*ring);
    RingBack back(*ring);
    NetRequest request{}, taken{};
    NetResponse response{}, got{};
    for (u32 round = 0; round < 5; ++round) {
        for (u32 i = 0; i < kRingSlots; ++i) {
            request.id = round * 1000 + i;
            REQUIRE(front.put(request));
        }
        CHECK_FALSE(front.put(request));
        for (u32 i = 0; i < kRingSlots; ++i) {
            REQUIRE(back.take(taken).value());
            CHECK(taken.id == round * 1000 + i);
        }
        CHECK_FALSE(back.take(taken).value());
        CHECK(back.under_way() == kRingSlots);
        CHECK_FALSE(front.put(request));
        for (u32 i = 0; i < kRingSlots; ++i) {
            response.id = round * 1000 + kRingSlots - 1 - i;
            back.answer(response, kSlotHead);
        }
        for (u32 i = 0; i < kRingSlots; ++i) {
            REQUIRE(front.get(got).value());
            CHECK(got.id == round * 1000 + kRingSlots - 1 - i);
        }
        CHECK_FALSE(front.get(got).value());
    }
}

TEST_CASE("net: indices that cannot be are refused, whichever side lies") {
    const auto ring = std::make_unique<NetRing>();
    RingFront front(*ring);
    RingBack back(*ring);
    NetRequest request{};
    NetResponse response{};
    for (u32 i = 0; i < 3; ++i) REQUIRE(front.put(request));
    REQUIRE(back.take(request).value());
    REQUIRE(back.take(request).value());
    for (const u64 lie : {u64{1}, u64{0}, kRingSlots + 1, ~u64{0}, u64{1} << 63}) {
        ring->requests = lie;
        CHECK_FALSE(back.take(request).ok());
    }
    ring->requests = 3;
    CHECK(back.take(request).value());
    for (const u64 lie : {u64{4}, ~u64{0}}) {
        ring->responses = lie;
        CHECK_FALSE(front.get(response).ok());
    }
}

TEST_CASE("net: the table of addresses against a plain map") {
    Random random(7);
    MacTable table;
    std::map<u8, u64> model;
    for (u64 port = 0; port < 3; ++port) table.give(port, mac(static_cast<u8>(200 + port)));
    for (u32 i = 0; i < 2000; ++i) {
        const u64 port = random.below(3);
        const u8 last = static_cast<u8>(random.below(12));  // fewer than a port has room for: nothing is displaced
        CHECK(table.learn(port, mac(last)));
        model[last] = port;
        const u8 asked = static_cast<u8>(random.below(12));
        CHECK(table.find(mac(asked)) == (model.contains(asked) ? std::optional(model[asked]) : std::nullopt));
        CHECK_FALSE(table.learn(port, mac(static_cast<u8>(200 + (port + 1) % 3))));
        CHECK_FALSE(table.learn(port, kBroadcast));
    }
    // One that makes up addresses displaces its own alone.
    for (u32 i = 0; i < 1000; ++i) table.learn(0, {2, 1, 1, 1, static_cast<u8>(i >> 8), static_cast<u8>(i)});
    for (const auto& [last, port] : model)
        if (port != 0) CHECK(table.find(mac(last)) == port);
    for (u64 port = 0; port < 3; ++port) CHECK(table.find(mac(static_cast<u8>(200 + port))) == port);
    table.forget(1);
    CHECK_FALSE(table.find(mac(201)).has_value());
}

TEST_CASE("net: no more ports than there are frames for") {
    NetWorld world(2);
    world.open(2);
    NetRing ring{};
    CHECK(world.core.connect(EnvId{30}, ring, false).error() == Error::exhausted);
    CHECK(ring.state == static_cast<u64>(PortState::asking));
    world.core.disconnect(0);
    CHECK(world.core.connect(EnvId{30}, ring, false).value() == 0);
    CHECK(ring.address != world.address(1));
    world.close_all();
}

TEST_CASE("net: a frame goes to whom it is for, with the header that was judged") {
    NetWorld world(3);
    world.open(3);
    world.ports[0].send(world.address(1), 1000);
    world.run();
    CHECK(world.ports[1].received == 1);
    CHECK(world.ports[2].received == 0);
    CHECK(world.ports[1].last.header.from == world.address(0));
    CHECK(world.ports[1].last.length == 1000);
    CHECK(world.core.counts(1).exchanged == 1);
    world.ports[0].send(world.address(2), 60);
    world.run();
    CHECK(world.ports[2].received == 1);
    CHECK(world.core.counts(2).copied == 1);
    world.ports[2].send(kBroadcast, 600);
    world.run();
    CHECK(world.ports[0].received == 1);
    CHECK(world.ports[1].received == 2);
    CHECK(world.ports[2].received == 1);
    world.close_all();
    CHECK(world.core.frames_home() == world.core.frames());
}

TEST_CASE("net: on a road frames go again, and nobody else ever sees one that was not renewed") {
    NetWorld world(3);
    world.open(3);
    world.ports[0].again = true;
    const auto send = [&](u64 to, u64 count) {
        const u64 again = world.core.went_again();
        for (u64 i = 0; i < count; ++i) {
            REQUIRE(world.ports[0].send(world.address(to), 1000));
            world.run();
        }
        return world.core.went_again() - again;
    };
    // The frame that comes for the first one is clean, as the reader still has that; all others have been there.
    const u64 renewed = world.core.renewed();
    CHECK(send(1, 300) >= 300 - 2 * kSendFrames);
    CHECK(world.core.renewed() - renewed <= 2 * kSendFrames);
    // Filled for one and sent to another: that frame has no road any more, which the host would not forgive.
    CHECK(send(2, 5) == 0);
    CHECK(send(2, 300) >= 300 - 4 * kSendFrames);
    // For a frame that is seen there is one that is not.
    const u32 seen = world.ports[0].filling.front();
    world.ports[0].filling.pop_front();
    world.ports[0].ask(RequestKind::send, seen);
    world.run();
    CHECK(world.ports[0].filling.size() == kSendFrames);
    CHECK(world.host().readers(world.ports[0].filling.back()).empty());
    world.close_all();
    CHECK(world.core.frames_home() == world.core.frames());
}

TEST_CASE("net: a road ends with either of its ports") {
    for (const u64 gone : {u64{0}, u64{1}}) {
        NetWorld world(3);
        world.open(3);
        world.ports[0].again = true;
        for (u32 i = 0; i < 100; ++i) {
            REQUIRE(world.ports[0].send(world.address(1), 800));
            world.run();
        }
        const u64 again = world.core.went_again();
        CHECK(again != 0);
        world.core.disconnect(gone);
        world.reopen(gone);
        world.ports[0].again = true;
        REQUIRE(world.ports[0].send(world.address(1), 800));
        world.run();
        CHECK(world.core.went_again() == again);
        world.close_all();
        CHECK(world.core.frames_home() == world.core.frames());
    }
}

TEST_CASE("net: nobody sends in another's name, and unknown addresses are for who has others behind") {
    NetWorld world(3);
    world.open(2);
    world.open(1, true);
    world.ports[0].send_as(world.address(1), world.address(2), 100);
    world.run();
    CHECK(world.ports[2].received == 0);
    CHECK(world.core.counts(0).filtered == 1);
    // Behind the third port there are others; but nobody whose address was given to a port.
    world.ports[2].send_as(mac(99), world.address(0), 100);
    world.ports[2].send_as(world.address(1), world.address(0), 100);
    world.run();
    CHECK(world.ports[0].received == 1);
    CHECK(world.core.counts(2).filtered == 1);
    world.ports[0].send(mac(99), 100);
    world.ports[0].send(mac(98), 100);
    world.run();
    CHECK(world.ports[2].received == 2);
    CHECK(world.ports[1].received == 0);
    world.close_all();
}

TEST_CASE("net: who does not give back loses its own, and only time of its own counts against it") {
    NetWorld world(2);
    world.open(2);
    world.ports[1].gives_back = false;
    for (u32 i = 0; i < 3000; ++i) {
        world.ports[0].send(world.address(1), 500);
        world.run();
    }
    CHECK(world.core.is_open(1));
    CHECK(world.ports[1].received == kReceiveFrames);
    CHECK(world.core.counts(1).lost == 3000 - kReceiveFrames);
    CHECK(world.core.counts(0).sent == 3000);
    world.slices += Switch::kPatience + 2;
    world.ports[0].send(world.address(1), 500);
    world.run();
    CHECK_FALSE(world.core.is_open(1));
    CHECK(world.core.reason(1) != nullptr);
    CHECK(world.ring(1).state == static_cast<u64>(PortState::cut_off));
    CHECK(world.core.is_open(0));
    world.close_all();
    CHECK(world.core.frames_home() == world.core.frames());
}

TEST_CASE("net: every breach of the rules ends the port that did it, and no other") {
    const auto breaches = [](NetWorld& world, u32 kind) {
        RawRequest raw{world.ring(1), world.ports[1]};
        switch (kind) {
            case 0: world.ring(1).requests += 1000; break;
            case 1: raw.put({1, kNoFrame, static_cast<RequestKind>(7), 0}); break;
            case 2: raw.put({1, world.ports[0].filling.front(), RequestKind::send, 500}); break;  // somebody else's
            case 3: raw.put({1, 1u << 30, RequestKind::send, 500}); break;
            case 4: raw.put({1, world.ports[1].filling.front(), RequestKind::send, 3}); break;
            case 5: raw.put({1, world.ports[1].filling.front(), RequestKind::send, 5000}); break;
            case 6: raw.put({1, kNoFrame, RequestKind::send, 175}); break;
            case 7: raw.put({1, kNoFrame, RequestKind::send, 0}); break;      // one more to fill than it may have
            case 8: raw.put({1, kNoFrame, RequestKind::receive, 0}); break;   // one more to read
            case 9: raw.put({1, world.ports[1].filling.front(), RequestKind::receive, 0}); break;
            case 10: world.ring(1).requests -= 1; break;
            case 11:  // one more to read, one of which it has
                world.ports[1].gives_back = false;
                world.ports[0].send(world.address(1), 700);
                world.run();
                raw.put({1, kNoFrame, RequestKind::receive, 0});
                break;
        }
    };
    for (u32 kind = 0; kind <= 11; ++kind) {
        CAPTURE(kind);
        NetWorld world(3);
        world.open(3);
        breaches(world, kind);
        world.run();
        CHECK_FALSE(world.core.is_open(1));
        CHECK(world.core.reason(1) != nullptr);
        world.ports[0].send(world.address(2), 900);
        world.run();
        CHECK(world.ports[2].received == 1);
        world.close_all();
        CHECK(world.core.frames_home() == world.core.frames());
    }
}

TEST_CASE("net: a frame of the switch's that the kernel took by force is another one when it is renewed") {
    HostKernel kernel;
    const auto bank = std::make_unique<FrameBank>();
    constexpr u32 kAll[] = {0, 1, 2};
    CHECK(bank->renew(kAll) == std::size(kAll));
    Capability before, after;
    REQUIRE(bank->lend(1, EnvId{7}, Right::read, before));
    kernel.repossess(before.first);
    CHECK(bank->renew(kAll) == std::size(kAll));
    REQUIRE(bank->lend(1, EnvId{7}, Right::read, after));
    CHECK(kernel.is_owned(after.first));
    CHECK(after.grant != before.grant);
}

TEST_CASE("net: whatever honest and hostile ports do, frames have one filler, readers whom they are for, and none is lost") {
    for (u64 seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        NetWorld world(5);
        world.open(5);
        u64 expected = 0;
        for (u32 step = 0; step < 400; ++step) {
            const u64 who = random.below(3);  // honest: 0, 1, 2
            const u64 to = (who + 1 + random.below(2)) % 3;
            const u64 before = world.ports[to].received;
            world.ports[who].again = random.one_in(2);
            const bool sent = world.ports[who].send(world.address(to), 14 + random.below(1505));
            world.scribble(3, random);
            world.scribble(4, random);
            world.run();
            expected += sent;
            CHECK(world.ports[to].received == before + sent);
            world.check_holders();
            world.slices += random.below(3);
        }
        for (u64 port = 0; port < 3; ++port) CHECK(world.core.is_open(port));
        CHECK(world.core.counts(0).lost + world.core.counts(1).lost + world.core.counts(2).lost == 0);
        CHECK(expected > 300);
        CHECK(world.core.went_again() > 20);
        world.close_all();
        CHECK(world.core.frames_home() == world.core.frames());
    }
}
