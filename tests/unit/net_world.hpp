// A switch with ports in one process: what the kernel would give is counted here, and honest ports check what they are given.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <vector>

#include "tests/unit/net_host.hpp"
#include "tests/unit/random.hpp"

namespace tessera::test {

using namespace libos;

struct TestPort {
    EnvId who;
    std::unique_ptr<NetRing> memory;
    RingFront front;
    std::deque<u32> filling;
    bool honest = true, gives_back = true, again = false;
    u64 received = 0;  ///< From honest ports.
    NetResponse last;

    void ask(RequestKind kind, u32 frame = kNoFrame) {
        NetRequest request{};
        request.id = static_cast<u32>(kind);
        request.kind = kind;
        request.frame = frame;
        REQUIRE(front.put(request));
    }
    /// False: there is no frame to send it with.
    bool send_as(const MacAddress& from, const MacAddress& to, u64 length) {
        NetRequest request{};
        request.id = static_cast<u32>(RequestKind::send);
        request.kind = again ? RequestKind::send_again : RequestKind::send;
        request.length = static_cast<u16>(length);
        request.header = {to, from, {8, 0}};
        request.frame = kNoFrame;
        if (length > kEthernetHeader + kSmallPayload) {
            if (filling.empty()) return false;
            request.frame = filling.front();
            filling.pop_front();
        }
        return front.put(request, sizeof request);
    }
    bool send(const MacAddress& to, u64 length) { return send_as(memory->address, to, length); }
};

/// Puts requests past all rules, at the place where the port's next one goes.
struct RawRequest {
    NetRing& ring;
    TestPort& port;
    struct Words {
        u32 id, frame;
        RequestKind kind;
        u16 length;
    };
    void put(const Words& words) {
        NetRequest& request = ring.request[ring.requests % kRingSlots];
        request = {};
        request.id = words.id;
        request.frame = words.frame;
        request.kind = words.kind;
        request.length = words.length;
        request.header.from = ring.address;
        ++ring.requests;
    }
};

class NetWorld {
  public:
    explicit NetWorld(u64 ports_for) : core(host_, Switch::frames_for(ports_for)) {}

    void open(u64 count, bool others_behind = false) {
        for (u64 i = 0; i < count; ++i) {
            ports.emplace_back();
            begin(ports.size() - 1, EnvId{ports.size() + 10}, others_behind);
        }
        run();
    }
    /// Somebody else, where a port has ended.
    void reopen(u64 number) {
        ports[number] = {};
        begin(number, EnvId{number + 30}, false);
        run();
    }
    const CountingHost& host() const { return host_; }
    void close_all() {
        for (u64 i = 0; i < ports.size(); ++i) core.disconnect(i);
        CHECK(host_.wrong() == 0);
    }

    /// Until nobody has anything to do.
    void run() {
        while (core.sweep())
            for (TestPort& port : ports) take_responses(port);
    }

    const MacAddress& address(u64 port) const { return ports[port].memory->address; }
    NetRing& ring(u64 port) { return *ports[port].memory; }

    /// Nobody's but one's to fill, and all frames somewhere.
    void check_holders() {
        u64 held = 0;
        for (u32 frame = 0; frame < core.frames(); ++frame) {
            bool any = false;
            for (u64 port = 0; port < ports.size(); ++port) any |= core.holds(port, frame);
            held += any;
        }
        CHECK(held + core.frames_home() == core.frames());
    }

    /// Write into a ring as somebody does who does not care, or who knows the rules nearly.
    void scribble(u64 number, Random& random) {
        ports[number].honest = false;
        NetRing& ring = *ports[number].memory;
        if (random.one_in(40)) ring.requests = random.next();
        if (random.one_in(40)) ring.responses = random.next();
        if (random.one_in(10)) ring.address = address(random.below(3));
        for (u64 i = random.below(4); i > 0; --i) {
            RawRequest raw{ring, ports[number]};
            const auto kind = random.one_in(20) ? static_cast<RequestKind>(random.below(5)) : RequestKind::send;
            const u32 frame = random.one_in(2) ? kNoFrame : static_cast<u32>(random.below(core.frames() + 2));
            // Mostly frames of its own, or it would not live long enough to be of interest.
            const u32 own = ports[number].filling.empty() ? kNoFrame : ports[number].filling.front();
            raw.put({static_cast<u32>(random.next()), random.one_in(30) ? frame : own, kind,
                     static_cast<u16>(random.one_in(30) ? random.next() : 15 + random.below(160))});
            NetRequest& request = ring.request[(ring.requests - 1) % kRingSlots];
            if (own != kNoFrame && request.frame == own) ports[number].filling.pop_front();
            request.header.to = random.one_in(3) ? kBroadcast : address(random.below(ports.size()));
            request.header.from = address(random.below(ports.size()));
        }
    }

  private:
    u64 slices_ = 0;
    CountingHost host_{slices_};

  public:
    Switch core;
    std::deque<TestPort> ports;
    u64& slices = slices_;

  private:
    void begin(u64 number, EnvId who, bool others_behind) {
        TestPort& port = ports[number];
        port.who = who;
        port.memory = std::make_unique<NetRing>();
        REQUIRE(core.connect(port.who, *port.memory, others_behind).value() == number);
        port.front = RingFront(*port.memory);
        for (u64 each = 0; each < kSendFrames; ++each) port.ask(RequestKind::send);
        for (u64 each = 0; each < kReceiveFrames; ++each) port.ask(RequestKind::receive);
    }

    void take_responses(TestPort& port) {
        NetResponse response;
        if (!port.honest) {
            // What it can know: the frames that it was given.
            for (u64& i = seen_[static_cast<u64>(port.who.value)]; i != port.memory->responses && i < kRingSlots * 1000; ++i) {
                const NetResponse& each = port.memory->response[i % kRingSlots];
                if (each.frame < core.frames()) port.filling.push_back(each.frame);
            }
            return;
        }
        for (;;) {
            const auto got = port.front.get(response);
            REQUIRE(got.ok());
            if (!got.value()) return;
            if (response.id == static_cast<u32>(RequestKind::send)) {
                if (response.frame == kNoFrame) continue;
                CHECK(host_.good(response, port.who, Right::read | Right::write));
                check_seen_by(response);
                port.filling.push_back(response.frame);
                continue;
            }
            if (response.frame != kNoFrame) CHECK(host_.good(response, port.who, Right::read));
            bool from_honest = false;
            for (const TestPort& each : ports) from_honest |= each.honest && each.memory->address == response.header.from;
            port.received += from_honest || response.header.from[5] == 99;
            port.last = response;
            if (port.gives_back) port.ask(RequestKind::receive, response.frame);
        }
    }

    /// A frame to fill says who sees it.
    void check_seen_by(const NetResponse& response) {
        const auto& readers = host_.readers(response.frame);
        const bool seen = response.header.to != MacAddress{};
        REQUIRE(readers.size() == seen);
        for (const TestPort& each : ports)
            if (each.memory->address == response.header.to && each.honest) CHECK(readers.contains(each.who.value));
    }

    u64 seen_[64]{};
};

}  // namespace tessera::test
