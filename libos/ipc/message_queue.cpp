// One ring a priority, and a bell that is rung for each message, so that a sleeping receiver watches one word.
#include "libos/ipc/message_queue.hpp"

#include <cstring>

#include "libos/ipc/blocking.hpp"

namespace tessera::libos {

QueueSender::QueueSender(SharedMemory& memory, QueueShape shape, EnvId peer)
    : memory_(memory), shape_(shape), peer_(peer), bell_(memory.at<RingWords>(0)) {
    for (u64 i = 0; i < shape.priorities; ++i) rings_[i] = {memory.at<RingWords>(shape.ring_at(i)), shape.slots};
}

Result<u64> QueueSender::try_send(std::span<const u8> message, u64 priority) {
    if (priority >= shape_.priorities || message.empty() || message.size() > shape_.bytes) return Error::out_of_range;
    if (read_once(bell_.consumer_closed) != 0) return Error::ended;
    RingProducer& ring = rings_[priority];
    if (TRY(ring.room()) == 0) return u64{0};
    const u64 slot = shape_.slot_at(priority, ring.position());
    memory_.at<u64>(slot) = message.size();
    std::memcpy(memory_.bytes() + slot + sizeof(u64), message.data(), message.size());
    ring.produce(1);
    publish(bell_.produced, ++sent_);
    return message.size();
}

Outcome QueueSender::send(std::span<const u8> message, u64 priority, u64 deadline) {
    TRY(do_with_peer(
        peer_, memory_, deadline, [&] { return try_send(message, priority); },
        [&] {
            RingWords& words = memory_.at<RingWords>(shape_.ring_at(priority));
            return std::array{changes_from(words.consumed, rings_[priority].seen()), becomes_set(bell_.consumer_closed)};
        }));
    return Done{};
}

void QueueSender::close() { publish(bell_.producer_closed, 1); }

QueueReceiver::QueueReceiver(SharedMemory& memory, QueueShape shape, EnvId peer)
    : memory_(memory), shape_(shape), peer_(peer), bell_(memory.at<RingWords>(0)) {
    for (u64 i = 0; i < shape.priorities; ++i) rings_[i] = {memory.at<RingWords>(shape.ring_at(i)), shape.slots};
}

Result<Received> QueueReceiver::try_receive(std::span<u8> to) {
    heard_ = read_once(bell_.produced);
    for (u64 priority = shape_.priorities; priority-- > 0;) {
        RingConsumer& ring = rings_[priority];
        if (TRY(ring.filled()) == 0) continue;
        const u64 slot = shape_.slot_at(priority, ring.position());
        const u64 length = read_once(memory_.at<u64>(slot));
        const bool fits = length != 0 && length <= shape_.bytes && length <= to.size();
        if (fits) std::memcpy(to.data(), memory_.bytes() + slot + sizeof(u64), length);
        ring.consume(1);
        if (length == 0 || length > shape_.bytes) return Error::bad_argument;
        if (!fits) return Error::out_of_range;
        return Received{length, priority};
    }
    return Received{0, 0};
}

Result<Received> QueueReceiver::receive(std::span<u8> to, u64 deadline) {
    Received received{};
    const auto attempt = [&]() -> Result<u64> {
        // Order: closed is read first, so that what was sent before it was closed is seen behind it.
        const bool closed = read_once(bell_.producer_closed) != 0;
        received = TRY(try_receive(to));
        if (received.length == 0 && closed) return Error::ended;
        return received.length;
    };
    TRY(do_with_peer(peer_, memory_, deadline, attempt,
                     [&] { return std::array{changes_from(bell_.produced, heard_), becomes_set(bell_.producer_closed)}; }));
    return received;
}

void QueueReceiver::close() { publish(bell_.consumer_closed, 1); }

}  // namespace tessera::libos
