// Every request that has a page uses the page's number as its id, so a response says by itself where its frame goes.
#include "libos/net/port.hpp"

#include <array>

#include "libos/net/switch_program.hpp"
#include "libos/transfer/board.hpp"

namespace tessera::libos {
namespace {

constexpr Rights kToRead = Right::read, kToFill = Right::read | Right::write;
constinit FaultPolicy other_faults = nullptr;

bool on_fault(VirtAddr address, u64 access) {
    return LentFrames::resolve(address, access) || (other_faults != nullptr && other_faults(address, access));
}

}  // namespace

void use_network(FaultPolicy others) {
    other_faults = others;
    use_shared_memory(on_fault);
}

Outcome SwitchPort::open(std::string_view name, u64 deadline) {
    const EnvId peer = TRY(await_environment(name, deadline));
    gate_ = TRY(Gate::open(TRY(await_post(name, kBellPost, deadline))));
    TRY(frames_.open());
    TRY(memory_.create(kRingPages));
    TRY(memory_.offer(kRingPost, peer, kToFill));
    TRY(gate_.notify(kAskingEvent));
    while (read_once(ring().state) == static_cast<u64>(PortState::asking)) {
        const std::array woken_by{becomes_set(ring().state)};
        TRY(sleep_for_peer(peer, woken_by, deadline));
    }
    take_down(kRingPost);
    front_ = RingFront(ring());
    address_ = ring().address;
    bell_ = u64{1} << ring().port % 63;
    open_ = true;
    for (u64 place = 0; place < LentFrames::kPages; ++place) {
        numbers_[place] = kNoFrame;
        TRY(ask(place));
    }
    return Done{};
}

Outcome SwitchPort::flush(u64 deadline) {
    for (TRY(take_responses()); under_way_ != 0; TRY(take_responses())) {
        const std::array woken_by{news()};
        TRY(sleep_for_peer(peer(), woken_by, deadline));
    }
    return Done{};
}

void SwitchPort::close() {
    if (!open_) return;
    open_ = false;
    frames_.close();
    memory_.detach();
    gate_.close();
}

Outcome SwitchPort::put(const NetRequest& request, u64 bytes) {
    if (!open_ || cut_off()) return Error::ended;
    if (!front_.put(request, bytes)) return Error::exhausted;
    under_way_ += request.kind == RequestKind::send;
    // Order: the request is there before we look whether somebody has to be told of it.
    std::atomic_ref listening(ring().listening);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (listening.load(std::memory_order_relaxed) == 0) return Done{};
    listening.store(0, std::memory_order_relaxed);
    return gate_.notify(bell_).ok() ? Outcome(Done{}) : Outcome(Error::ended);
}

/// Ask for a frame in `place`, to fill or to read; what was read there goes back.
Outcome SwitchPort::ask(u64 place) {
    NetRequest request{};
    request.id = static_cast<u32>(place);
    request.frame = place < kSendFrames ? kNoFrame : numbers_[place];
    request.kind = place < kSendFrames ? RequestKind::send : RequestKind::receive;
    request.length = 0;
    TRY(put(request));
    places_[place] = Place::asked;
    return Done{};
}

Outcome SwitchPort::take_responses() {
    if (!open_) return Error::ended;
    while (TRY(front_.get(response_))) TRY(on_response());
    return memory_.lost() ? Outcome(Error::ended) : Outcome(Done{});
}

Outcome SwitchPort::on_response() {
    const u64 place = response_.id;
    under_way_ -= place < kSendFrames || place >= LentFrames::kPages;
    if (place >= LentFrames::kPages) return Done{};  // something small was sent
    if (places_[place] != Place::asked) return Error::bad_argument;
    numbers_[place] = response_.frame;
    if (place < kSendFrames) {
        places_[place] = Place::empty;
        if (response_.frame == kNoFrame) return Done{};
        TRY(frames_.put(place, response_.capability, kToFill));
        places_[place] = Place::ours;
        ++to_fill_;
        return Done{};
    }
    places_[place] = Place::ours;
    arrived_[place - kSendFrames] = response_;
    order_[came_++ % kReceiveFrames] = static_cast<u8>(place);
    return Done{};
}

u64 SwitchPort::ready_to_fill() const {
    u64 place = 0;
    while (places_[place] != Place::ours) ++place;
    return place;
}

std::span<std::byte> SwitchPort::room() {
    if (to_fill_ == 0) {
        // What the switch had no frame for is asked for again.
        for (u64 place = 0; place < kSendFrames; ++place)
            if (places_[place] == Place::empty) static_cast<void>(ask(place));
        if (!take_responses().ok() || to_fill_ == 0) return {};
    }
    return {frames_.memory(ready_to_fill()), kLongestFrame};
}

Outcome SwitchPort::send(u64 length) {
    if (to_fill_ == 0) return Error::exhausted;
    if (length < kEthernetHeader || length > kLongestFrame) return Error::out_of_range;
    const u64 place = ready_to_fill();
    std::byte* const frame = frames_.memory(place);
    if (length <= kEthernetHeader + kSmallPayload) return send({frame, length});
    NetRequest request{};
    request.id = static_cast<u32>(place);
    request.frame = numbers_[place];
    request.kind = RequestKind::send;
    request.length = static_cast<u16>(length);
    std::memcpy(&request.header, frame, kEthernetHeader);
    TRY(put(request));
    places_[place] = Place::asked;
    --to_fill_;
    ++exchanged_;
    return Done{};
}

Outcome SwitchPort::send(std::span<const std::byte> frame) {
    if (frame.size() < kEthernetHeader || frame.size() > kLongestFrame) return Error::out_of_range;
    const u64 payload = frame.size() - kEthernetHeader;
    if (payload > kSmallPayload) {
        const auto to = room();
        if (to.empty()) return Error::exhausted;
        std::memcpy(to.data(), frame.data(), frame.size());
        return send(frame.size());
    }
    NetRequest request{};
    request.id = LentFrames::kPages;
    request.frame = kNoFrame;
    request.kind = RequestKind::send;
    request.length = static_cast<u16>(frame.size());
    std::memcpy(&request.header, frame.data(), kEthernetHeader);
    std::memcpy(request.small, frame.data() + kEthernetHeader, payload);
    Outcome sent = put(request, kSlotHead + payload);
    // The ring may be full of answers that nobody has looked at.
    if (!sent.ok() && sent.error() == Error::exhausted && take_responses().ok()) sent = put(request, kSlotHead + payload);
    TRY(sent);
    ++copied_;
    return Done{};
}

Result<bool> SwitchPort::receive(ReceivedFrame& to) {
    if (done_ != shown_) {
        const u64 place = order_[done_ % kReceiveFrames];
        TRY(ask(place));
        ++done_;
    }
    if (shown_ == came_) TRY(take_responses());
    if (cut_off()) return Error::ended;
    if (shown_ == came_) return false;
    const u64 place = order_[shown_++ % kReceiveFrames];
    const NetResponse& arrived = arrived_[place - kSendFrames];
    const u64 length = arrived.length;
    const bool in_ring = arrived.frame == kNoFrame;
    if (length < kEthernetHeader || length > kEthernetHeader + (in_ring ? kSmallPayload : kLongestFrame - kEthernetHeader))
        return Error::bad_argument;
    if (!in_ring) TRY(frames_.put(place, arrived.capability, kToRead));
    const std::byte* const payload = in_ring ? arrived.small : frames_.memory(place) + kEthernetHeader;
    to = {arrived.header, {payload, length - kEthernetHeader}};
    return true;
}

Outcome SwitchPort::wait(u64 deadline) {
    if (has_news()) return Done{};
    const std::array woken_by{news()};
    return sleep_for_peer(peer(), woken_by, deadline);
}

}  // namespace tessera::libos
