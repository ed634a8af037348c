// A port of the switch that keeps no rules, beside two that do: forged rings, frames that are not its own, counts that cannot
// be, capabilities kept and used again. Each breach must end that port, and what it kept must be worth nothing.
//
// Everything here goes past libos/net/port.hpp, which would not do such things.
#include "libos/core/pages.hpp"
#include "libos/net/switch_program.hpp"
#include "libos/transfer/board.hpp"
#include "libos/transfer/gate.hpp"
#include "libos/transfer/wait.hpp"
#include "secure_bindings/capability.hpp"
#include "tests/system/attack.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr Rights kReadWrite = Right::read | Right::write;
constexpr std::string_view kSwitch = "net_switch";

SharedMemory memory;
Gate bell;
u64 produced, consumed;  // of this life
PageNumber page;

NetRing& ring() { return memory.at<NetRing>(0); }
EnvId peer() { return bell.callee(); }

/// Until it holds; the switch gets the CPU.
template <class Fact>
bool becomes(Fact fact) {
    for (u64 i = 0; i < 400; ++i) {
        if (fact()) return true;
        static_cast<void>(call<Wait>({{}, 0, ticks() + information().quantum / 2, 0}));
    }
    return false;
}
bool is(PortState state) { return read_once(ring().state) == static_cast<u64>(state); }

/// A port for a new life, with what `rights` the switch gets to the ring.
bool connect() {
    produced = consumed = 0;
    expect("a ring", memory.create(kRingPages).error(), Error::ok);
    expect("offered", memory.offer(kRingPost, peer(), kReadWrite).error(), Error::ok);
    expect("rung", bell.notify(kAskingEvent).error(), Error::ok);
    const bool open = becomes([] { return is(PortState::open); });
    expect_true("a port", open);
    take_down(kRingPost);
    return open;
}

void put(u32 id, u32 frame, RequestKind kind, u64 length, const MacAddress& to = {}, const MacAddress& from = ring().address) {
    NetRequest& request = ring().request[produced % kRingSlots];
    request.id = id;
    request.frame = frame;
    request.kind = kind;
    request.length = static_cast<u16>(length);
    request.header = {to, from, {0x88, 0xb6}};
    publish(ring().requests, ++produced);
    static_cast<void>(bell.notify(u64{1} << ring().port % 63));
}

bool answered() {
    return becomes([] { return read_once(ring().responses) > consumed; });
}
NetResponse next_answer() {
    NetResponse response;
    copy_once(&response, &ring().response[consumed++ % kRingSlots], sizeof response);
    return response;
}
NetResponse ask_for_frame() {
    put(1, kNoFrame, RequestKind::send, 0);
    expect_true("a frame to fill", answered());
    return next_answer();
}

Error bind_as(const Capability& capability, Rights rights) {
    return answer_to<Bind>({address(capability), FrameNumber{capability.first}, PageSpan::make(page, 1, rights), {}, {}});
}

/// Behind this the port is gone, and the next life can begin.
void must_be_cut_off(const char* what) {
    expect_true(what, becomes([] { return is(PortState::cut_off); }));
    memory.detach();
}

void ask_with_forgeries() {
    Capability forged;
    expect("frames", answer_to<FrameAlloc>({FrameNumber{kAny}, kRingPages, 1, address(forged)}), Error::ok);
    const Capability good = forged;
    forged.tag[0] ^= 1;
    expect("a forged ring, posted", post(kRingPost, forged).error(), Error::ok);
    expect("rung", bell.notify(kAskingEvent).error(), Error::ok);
    static_cast<void>(call<Wait>({{}, 0, ticks() + information().quantum * 10, 0}));
    const auto only_read = attenuate(good, only_rights(Right::read));
    expect("a ring that is only to be read, posted", post(kRingPost, only_read.value()).error(), Error::ok);
    expect("rung", bell.notify(kAskingEvent).error(), Error::ok);
    static_cast<void>(call<Wait>({{}, 0, ticks() + information().quantum * 10, 0}));
    expect("given back", answer_to<FrameRelease>({address(good), FrameNumber{good.first}, kRingPages}), Error::ok);
    take_down(kRingPost);
}

/// What is lent is lent to fill, and nothing else; when it has gone on and come back, it is worth nothing.
void use_what_was_kept() {
    if (!connect()) return;
    const Capability kept = ask_for_frame().capability;
    expect("to fill", bind_as(kept, kReadWrite), Error::ok);
    expect("not to execute", bind_as(kept, Right::read | Right::execute), Error::denied);
    expect("not to give to the kernel", answer_to<FrameRelease>({address(kept), FrameNumber{kept.first}, 1}), Error::denied);
    expect("not to keep", answer_to<Reserve>({address(kept), FrameNumber{kept.first}, 1, 1}), Error::denied);
    volatile u64& word = *reinterpret_cast<u64*>(address_of(page).value);
    expect("bound again", bind_as(kept, kReadWrite), Error::ok);
    word = 0x600d;
    put(2, 0, RequestKind::receive, 0);
    must_be_cut_off("it gives back what it was never given to read");
    if (!connect()) return;
    expect("what it kept is dead", bind_as(kept, kReadWrite), Error::stale_capability);
    expect("and so is what it kept to read", bind_as(kept, Right::read), Error::stale_capability);
    // To itself: nobody gets it, so it comes back, is renewed and goes out again.
    NetResponse given = ask_for_frame();
    for (u64 i = 0; i < 400; ++i) {
        put(3, given.frame, RequestKind::send, 1000, ring().address);
        if (!answered()) return expect_true("an answer", false);
        given = next_answer();
    }
    expect("the last one is alive", bind_as(given.capability, kReadWrite), Error::ok);
    expect_true("and empty", word == 0, word);
    publish(ring().requests, produced + 3 * kRingSlots);
    static_cast<void>(bell.notify(u64{1} << ring().port % 63));
    must_be_cut_off("more requests than there can be");
    static_cast<void>(call<Unbind>({PageSpan::make(page, 1), {}}));
}

/// In another's name: refused and counted, and no reason to be cut off.
void send_in_anothers_name() {
    if (!connect()) return;
    MacAddress other = ring().address;
    other[5] ^= 1;
    for (u64 i = 0; i < 100; ++i) {
        put(1, kNoFrame, RequestKind::send, 60, kBroadcast, other);
        if (!answered()) return expect_true("an answer", false);
        expect_true("filtered", next_answer().status == NetStatus::filtered);
    }
    ring().address = other;  // the switch knows better
    put(1, kNoFrame, RequestKind::send, 60, kBroadcast, other);
    expect_true("an answer", answered());
    expect_true("filtered all the same", next_answer().status == NetStatus::filtered);
    put(1, 5, RequestKind::send, 800);
    must_be_cut_off("it sends a frame that it does not have");
}

void take_too_much() {
    if (!connect()) return;
    for (u64 i = 0; i < kSendFrames; ++i) static_cast<void>(ask_for_frame());
    put(1, kNoFrame, RequestKind::send, 0);
    must_be_cut_off("one frame more than it may hold");
    if (!connect()) return;
    for (u64 i = 0; i <= kReceiveFrames; ++i) put(1, kNoFrame, RequestKind::receive, 0);
    must_be_cut_off("one frame more than it may receive");
}

void take_its_ring_away() {
    if (!connect()) return;
    static_cast<void>(ask_for_frame());
    memory.detach();
}

}  // namespace

int libos_main() {
    use_shared_memory();
    page = reserve_pages(1);
    const auto there = await_environment(kSwitch);
    const auto gate = Gate::open(await_post(kSwitch, kBellPost).value());
    if (!there.ok() || !gate.ok()) return 2;
    bell = gate.value();
    ask_with_forgeries();
    use_what_was_kept();
    send_in_anothers_name();
    take_too_much();
    take_its_ring_away();
    // The last life ends in the middle of everything, with frames of the switch's bound.
    if (connect()) {
        expect("to fill", bind_as(ask_for_frame().capability, kReadWrite), Error::ok);
        put(1, kNoFrame, RequestKind::receive, 0);
    }
    return verdict("network");
}
