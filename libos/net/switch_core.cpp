// One request at a time, copied once. What a port does against the rules ends the port and nothing else.
#include "libos/net/switch_core.hpp"

#include <algorithm>

namespace tessera::libos {
namespace {

constexpr Rights kToRead = Right::read, kToFill = Right::read | Right::write;

/// Locally administered, and counted: 02:54:45:53:00:01 is the first.
constexpr MacAddress address_number(u64 number) {
    return {0x02, 0x54, 0x45, 0x53, static_cast<u8>(number >> 8), static_cast<u8>(number)};
}

}  // namespace

Switch::Switch(SwitchHost& host, u64 frames, bool roads) : host_(host), frames_(std::min(frames, kMaxFrames)), use_roads_(roads) {
    while (used_count_ < frames_) {
        used_[used_count_] = static_cast<u32>(used_count_);
        ++used_count_;
    }
}

Result<u64> Switch::connect(EnvId who, NetRing& ring, bool others_behind) {
    if (frames_for(open_ports() + 1) > frames_) return Error::exhausted;
    for (u64 number = 0; number < kPorts; ++number) {
        Port& port = ports_[number];
        if (port.open) continue;
        port = Port{};
        port.open = true;
        port.others_behind = others_behind;
        port.who = who;
        port.memory = &ring;
        port.ring = RingBack(ring);
        const MacAddress address = address_number(++given_);
        table_.give(number, address);
        ring.port = number;
        ring.address = address;
        publish(ring.state, static_cast<u64>(PortState::open));
        return number;
    }
    return Error::exhausted;
}

u64 Switch::open_ports() const {
    return static_cast<u64>(std::ranges::count_if(ports_, [](const Port& each) { return each.open; }));
}

void Switch::take_back_all(Port& port) {
    for (u32 frame = 0; frame < frames_; ++frame) {
        if (port.filling[frame]) put_back(frame);
        if (port.reading[frame]) put_back(frame);
    }
    port.filling.reset();
    port.reading.reset();
}

void Switch::disconnect(u64 number) {
    Port& port = ports_[number];
    if (!port.open) return;
    const u64 before = used_count_;
    roads_.close(number, [this](u32 frame) { used_[used_count_++] = frame; });
    take_back_all(port);
    for (u64 count = used_count_ - before; count != 0 && renew(std::min(count, kAtOnce)); count -= std::min(count, kAtOnce)) {
    }
    table_.forget(number);
    port.open = false;
}

void Switch::cut_off(Port& port, const char* reason) {
    publish(port.memory->state, static_cast<u64>(PortState::cut_off));
    port.reason = reason;
    disconnect(static_cast<u64>(&port - ports_));
}

bool Switch::has_work() const {
    return std::ranges::any_of(ports_, [](const Port& each) { return each.open && each.ring.has_request(); });
}

bool Switch::sweep() {
    bool any = false;
    for (u64 i = 0; i < kPorts; ++i) any |= serve((next_ + i) % kPorts);
    next_ = (next_ + 1) % kPorts;
    return any;
}

bool Switch::serve(u64 number) {
    Port& port = ports_[number];
    for (u64 done = 0; done < kBurst; ++done) {
        if (!port.open) return done != 0;
        const auto taken = port.ring.take(request_);
        if (!taken.ok()) return cut_off(port, "its ring counts what cannot be"), true;
        if (!taken.value()) return done != 0;
        switch (request_.kind) {
            case RequestKind::send:
            case RequestKind::send_again: on_send(number); break;
            case RequestKind::receive: on_receive(port); break;
            default: cut_off(port, "a request of no kind");
        }
    }
    return true;
}

void Switch::on_receive(Port& port) {
    if (request_.frame != kNoFrame) {
        if (request_.frame >= frames_ || !port.reading[request_.frame]) return cut_off(port, "it gives back a frame that it does not have");
        port.reading[request_.frame] = false;
        --port.reading_count;
        put_back(request_.frame);
    }
    if (port.waiting_count + port.reading_count == kReceiveFrames) return cut_off(port, "it asks to receive more than it may hold");
    port.waiting[(port.waiting_first + port.waiting_count++) % kReceiveFrames] = request_.id;
    port.stuck_since = 0;
}

void Switch::on_send(u64 number) {
    Port& port = ports_[number];
    const u32 frame = request_.frame;
    const u64 length = request_.length;
    if (frame == kNoFrame && length == 0) {
        if (port.filling_count == kSendFrames) return cut_off(port, "it asks for more frames than it may hold");
        return answer_send(number, NetStatus::done, true);
    }
    if (frame == kNoFrame) {
        if (length < kEthernetHeader || length > kEthernetHeader + kSmallPayload) return cut_off(port, "it sends less or more than the ring can hold");
        return answer_send(number, forward(number), false);
    }
    if (frame >= frames_ || !port.filling[frame]) return cut_off(port, "it sends a frame that it does not have");
    if (length != 0 && (length < kEthernetHeader || length > kLongestFrame))
        return cut_off(port, "it sends a frame of no length that there is");
    port.filling[frame] = false;
    --port.filling_count;
    // The count goes from the sender's hands to the switch's, until it is known who reads.
    const NetStatus status = length != 0 ? forward(number) : NetStatus::done;
    put_back(frame);
    answer_send(number, status, true);
}

void Switch::answer_send(u64 number, NetStatus status, bool wants_frame) {
    Port& port = ports_[number];
    response_.id = request_.id;
    response_.status = status;
    response_.frame = wants_frame && goes_again() ? take_on_road(number) : kNoFrame;
    response_.length = 0;
    // What was last written there is another port's.
    response_.header = {};
    if (response_.frame != kNoFrame) response_.header.to = request_.header.to;
    else if (wants_frame) response_.frame = take_clean();
    const u32 frame = response_.frame;
    u64 bytes = kSlotHead;
    if (wants_frame && frame != kNoFrame) {
        if (host_.lend(frame, port.who, kToFill, response_.capability)) {
            roads_.on_lent_to_fill(frame, number);
            port.filling[frame] = true;
            ++port.filling_count;
            ++holders_[frame];
            bytes = sizeof response_;
        } else {
            used_[used_count_++] = frame;
            response_.frame = kNoFrame;
        }
    }
    if (wants_frame && response_.frame == kNoFrame) response_.status = NetStatus::no_frame;
    port.ring.answer(response_, bytes);
}

NetStatus Switch::forward(u64 from) {
    Port& sender = ports_[from];
    const EthernetHeader& header = request_.header;
    const bool own = header.from == table_.given(from) || (sender.others_behind && table_.learn(from, header.from));
    if (!own) {
        ++sender.counts.filtered;
        return NetStatus::filtered;
    }
    ++sender.counts.sent;
    if (is_group(header.to)) {
        for (u64 each = 0; each < kPorts; ++each)
            if (each != from && ports_[each].open) deliver(each);
    } else if (const auto to = table_.find(header.to)) {
        if (*to != from) deliver(*to);
    } else {
        for (u64 each = 0; each < kPorts; ++each)
            if (each != from && ports_[each].open && ports_[each].others_behind) deliver(each);
    }
    return NetStatus::done;
}

void Switch::deliver(u64 number) {
    Port& to = ports_[number];
    if (to.waiting_count == 0) return count_loss(to);
    const u32 frame = request_.frame;
    response_.frame = frame;
    response_.status = NetStatus::done;
    response_.length = request_.length;
    response_.header = request_.header;
    u64 bytes = sizeof response_;
    if (frame == kNoFrame) {
        const u64 payload = request_.length - kEthernetHeader;
        std::memcpy(response_.small, request_.small, payload);
        bytes = kSlotHead + payload;
        ++to.counts.copied;
    } else {
        if (!host_.lend(frame, to.who, kToRead, response_.capability)) return count_loss(to);
        roads_.on_lent_to_read(frame, number, goes_again());
        to.reading[frame] = true;
        ++to.reading_count;
        ++holders_[frame];
        ++to.counts.exchanged;
    }
    response_.id = to.waiting[to.waiting_first++ % kReceiveFrames];
    --to.waiting_count;
    ++to.counts.received;
    to.ring.answer(response_, bytes);
}

// Only time of its own counts against a port: others may send it more than it can take before it runs even once.
void Switch::count_loss(Port& port) {
    ++port.counts.lost;
    if (port.reading_count == 0) return;
    const u64 now = host_.slices_of(port.who) + 1;
    if (port.stuck_since == 0) port.stuck_since = now;
    if (now - port.stuck_since > kPatience) cut_off(port, "it gives back none of what it received");
}

/// Renew the last `count` frames that were used. False: not all of them could be.
bool Switch::renew(u64 count) {
    const std::span batch(used_ + used_count_ - count, count);
    const u64 done = host_.renew(batch);
    for (const u32 frame : batch.first(done)) roads_.on_renewed(frame);
    std::copy_n(batch.begin(), done, clean_ + clean_count_);
    std::copy(batch.begin() + static_cast<std::ptrdiff_t>(done), batch.end(), batch.begin());
    clean_count_ += done;
    used_count_ -= done;
    renewed_ += done;
    return done == count;
}

u32 Switch::take_clean() {
    if (clean_count_ == 0 && used_count_ == 0) roads_.reclaim([this](u32 frame) { used_[used_count_++] = frame; });
    if (clean_count_ == 0) static_cast<void>(renew(std::min(used_count_, kAtOnce)));
    return clean_count_ == 0 ? kNoFrame : clean_[--clean_count_];
}

/// One for whom the request in hand was sent to, on the road there from its sender.
u32 Switch::take_on_road(u64 from) {
    const auto to = table_.find(request_.header.to);
    const u32 frame = to ? roads_.take(from, *to) : kNoFrame;
    went_again_ += frame != kNoFrame;
    return frame;
}

void Switch::put_back(u32 frame) {
    if (--holders_[frame] == 0 && !roads_.put(frame)) used_[used_count_++] = frame;
}

}  // namespace tessera::libos
