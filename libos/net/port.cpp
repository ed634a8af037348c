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
    for (u64 place = 0; place < kPlaces; ++place) TRY(ask(place));
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

// Places in the ring are kept for what is to be received: who has read a frame can always say so.
Outcome SwitchPort::put(const NetRequest& request, u64 bytes) {
    constexpr u64 kMostUnderWay = kRingSlots - kReceiveFrames;
    if (!open_ || cut_off()) return Error::ended;
    const bool sends = request.kind != RequestKind::receive;
    const auto is_full = [&] { return sends && under_way_ >= kMostUnderWay; };
    // They may all be answered, and nobody has looked.
    if (is_full()) TRY(take_responses());
    if (is_full() || !front_.put(request, bytes)) return Error::exhausted;
    under_way_ += sends;
    // Order: the request is there before we look whether somebody has to be told of it.
    std::atomic_ref listening(ring().listening);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (listening.load(std::memory_order_relaxed) == 0) return Done{};
    listening.store(0, std::memory_order_relaxed);
    return gate_.notify(bell_).ok() ? Outcome(Done{}) : Outcome(Error::ended);
}

/// Ask for a frame in `place`, to fill or to read; what was read there goes back.
Outcome SwitchPort::ask(u64 number) {
    Place& place = places_[number];
    NetRequest request{};
    request.id = static_cast<u32>(number);
    request.frame = number < kSendFrames ? kNoFrame : place.number;
    request.kind = number < kSendFrames ? RequestKind::send : RequestKind::receive;
    request.length = 0;
    TRY(put(request));
    place.state = Place::asked;
    return Done{};
}

/// Give a frame that somebody sees for one that nobody does.
Outcome SwitchPort::swap(u64 number) {
    Place& place = places_[number];
    NetRequest request{};
    request.id = static_cast<u32>(number);
    request.frame = place.number;
    request.kind = RequestKind::send;
    TRY(put(request));
    frames_.release(place.page);
    place.state = Place::asked;
    return Done{};
}

Outcome SwitchPort::take_responses() {
    if (!open_) return Error::ended;
    while (TRY(front_.get(response_))) TRY(on_response());
    return memory_.lost() ? Outcome(Error::ended) : Outcome(Done{});
}

Outcome SwitchPort::on_response() {
    const u64 number = response_.id;
    under_way_ -= number < kSendFrames || number >= kPlaces;
    if (number >= kPlaces) return Done{};  // something small was sent
    Place& place = places_[number];
    if (place.state != Place::asked) return Error::bad_argument;
    place.number = response_.frame;
    if (number < kSendFrames) {
        place.state = Place::empty;
        if (response_.frame == kNoFrame) return Done{};
        place.page = static_cast<u8>(TRY(frames_.hold(response_.capability, kToFill)));
        place_at_[place.page] = static_cast<u8>(number);
        place.seen_by = response_.header.to;
        place.state = Place::ours;
        return Done{};
    }
    place.state = Place::ours;
    arrived_[number - kSendFrames] = response_;
    order_[came_++ % kReceiveFrames] = static_cast<u8>(number);
    return Done{};
}

/// Of frames to fill the one that `to` sees anyway, or one that nobody does.
u64 SwitchPort::find_room(const MacAddress& to) const {
    u64 found = kNoPlace;
    for (u64 i = 0; i < kSendFrames; ++i) {
        const Place& place = places_[i];
        if (place.state != Place::ours) continue;
        if (place.seen_by == to) return i;
        if (place.seen_by == kNobody) found = i;
    }
    return found;
}

/// What the switch had no frame for is asked for again; what only others may see goes for what nobody does.
void SwitchPort::make_room(const MacAddress& to) {
    constexpr u64 kSwapped = 4;
    u64 swapped = 0;
    for (u64 i = 0; i < kSendFrames; ++i) {
        Place& place = places_[i];
        if (place.state == Place::empty) static_cast<void>(ask(i));
        else if (place.state == Place::ours && place.seen_by != to && swapped++ < kSwapped) static_cast<void>(swap(i));
    }
}

std::span<std::byte> SwitchPort::room(const MacAddress& to) {
    room_for_ = to;
    room_ = find_room(to);
    if (room_ == kNoPlace) {
        if (take_responses().ok()) room_ = find_room(to);
        if (room_ == kNoPlace) make_room(to);
    }
    if (room_ == kNoPlace) return {};
    return {frames_.memory(places_[room_].page), kLongestFrame};
}

Outcome SwitchPort::send(u64 length) {
    if (room_ == kNoPlace) return Error::exhausted;
    if (length < kEthernetHeader || length > kLongestFrame) return Error::out_of_range;
    Place& place = places_[room_];
    std::byte* const frame = frames_.memory(place.page);
    if (length <= kEthernetHeader + kSmallPayload) return send({frame, length});
    EthernetHeader header;
    std::memcpy(&header, frame, sizeof header);
    TRY(send_from(room_, length, header, room_for_ == kNobody ? RequestKind::send : RequestKind::send_again));
    room_ = kNoPlace;
    return Done{};
}

Outcome SwitchPort::send_from(u64 number, u64 length, const EthernetHeader& header, RequestKind kind) {
    Place& place = places_[number];
    NetRequest request{};
    request.id = static_cast<u32>(number);
    request.frame = place.number;
    request.kind = kind;
    request.length = static_cast<u16>(length);
    request.header = header;
    TRY(put(request));
    frames_.release(place.page);
    place.state = Place::asked;
    ++exchanged_;
    return Done{};
}

u64 SwitchPort::keep_room() {
    Place& place = places_[room_];
    place.state = Place::kept;
    room_ = kNoPlace;
    return place.page;
}

Outcome SwitchPort::send_kept(u64 page, u64 length, MacAddress& to) {
    if (length <= kEthernetHeader + kSmallPayload || length > kLongestFrame) return Error::out_of_range;
    const u64 number = page < LentFrames::kPages ? place_at_[page] : kNoPlace;
    if (number >= kSendFrames || places_[number].state != Place::kept || places_[number].page != page) return Error::not_found;
    EthernetHeader header;
    copy_once(&header, frames_.memory(page), sizeof header);
    to = header.to;
    return send_from(number, length, header, RequestKind::send_again);
}

Outcome SwitchPort::give_back(u64 page) {
    const u64 number = page < LentFrames::kPages ? place_at_[page] : kNoPlace;
    if (number < kSendFrames || number >= kPlaces || places_[number].state != Place::ours || places_[number].page != page ||
        !frames_.is_held(page))
        return Error::not_found;
    TRY(ask(number));
    frames_.release(page);
    return Done{};
}

Outcome SwitchPort::send(std::span<const std::byte> frame) {
    if (frame.size() < kEthernetHeader || frame.size() > kLongestFrame) return Error::out_of_range;
    const u64 payload = frame.size() - kEthernetHeader;
    if (payload > kSmallPayload) {
        EthernetHeader header;
        std::memcpy(&header, frame.data(), sizeof header);
        const auto to = room(header.to);
        if (to.empty()) return Error::exhausted;
        std::memcpy(to.data(), frame.data(), frame.size());
        return send(frame.size());
    }
    NetRequest request{};
    request.id = kPlaces;
    request.frame = kNoFrame;
    request.kind = RequestKind::send;
    request.length = static_cast<u16>(frame.size());
    std::memcpy(&request.header, frame.data(), kEthernetHeader);
    std::memcpy(request.small, frame.data() + kEthernetHeader, payload);
    TRY(put(request, kSlotHead + payload));
    ++copied_;
    return Done{};
}

Result<bool> SwitchPort::receive(ReceivedFrame& to, bool now) {
    if (last_shown_ != kNoPlace) {
        const Place& place = places_[last_shown_];
        TRY(ask(last_shown_));
        if (place.number != kNoFrame) frames_.release(place.page);
        last_shown_ = kNoPlace;
    }
    if (shown_ == came_) TRY(take_responses());
    if (cut_off()) return Error::ended;
    if (shown_ == came_) return false;
    const u64 number = order_[shown_++ % kReceiveFrames];
    Place& place = places_[number];
    const NetResponse& arrived = arrived_[number - kSendFrames];
    const u64 length = arrived.length;
    const bool in_ring = arrived.frame == kNoFrame;
    if (length < kEthernetHeader || length > kEthernetHeader + (in_ring ? kSmallPayload : kLongestFrame - kEthernetHeader))
        return Error::bad_argument;
    if (!in_ring) {
        place.page = static_cast<u8>(TRY(frames_.hold(arrived.capability, kToRead, now)));
        place_at_[place.page] = static_cast<u8>(number);
    }
    const std::byte* const payload = in_ring ? arrived.small : frames_.memory(place.page) + kEthernetHeader;
    to = {arrived.header, {payload, length - kEthernetHeader}, in_ring ? kNoPage : u64{place.page}};
    last_shown_ = number;
    return true;
}

Outcome SwitchPort::wait(u64 deadline) {
    if (has_news()) return Done{};
    const std::array woken_by{news()};
    return sleep_for_peer(peer(), woken_by, deadline);
}

}  // namespace tessera::libos
