// Copying in and out of the ring, in two pieces where it wraps.
#include "libos/ipc/pipe.hpp"

#include <algorithm>
#include <cstring>

#include "libos/ipc/blocking.hpp"

namespace tessera::libos {
namespace {

/// Hand `copy(place, done, count)` the one or two runs of the ring that `count` bytes from `position` on are.
template <class Copy>
void in_runs(SharedMemory& memory, u64 position, u64 count, Copy copy) {
    const u64 capacity = pipe_capacity(memory.size() / kPageSize), place = position % capacity;
    const u64 first = std::min(count, capacity - place);
    u8* const ring = memory.bytes() + kPageSize;
    copy(ring + place, 0, first);
    if (first != count) copy(ring, first, count - first);
}

}  // namespace

Result<u64> PipeWriter::try_write(std::span<const u8> bytes) {
    if (ring_.peer_closed()) return Error::ended;
    const u64 count = std::min<u64>(bytes.size(), TRY(ring_.room()));
    if (count == 0) return count;
    in_runs(memory_, ring_.position(), count, [&](u8* place, u64 done, u64 size) { std::memcpy(place, &bytes[done], size); });
    ring_.produce(count);
    return count;
}

Outcome PipeWriter::write(std::span<const u8> bytes, u64 deadline) {
    RingWords& words = memory_.at<RingWords>(0);
    while (!bytes.empty()) {
        const u64 count = TRY(do_with_peer(
            peer_, memory_, deadline, [&] { return try_write(bytes); },
            [&] { return std::array{changes_from(words.consumed, ring_.seen()), becomes_set(words.consumer_closed)}; }));
        bytes = bytes.subspan(count);
    }
    return Done{};
}

Result<u64> PipeReader::try_read(std::span<u8> to) {
    const u64 count = std::min<u64>(to.size(), TRY(ring_.filled()));
    if (count == 0) return count;
    in_runs(memory_, ring_.position(), count, [&](u8* place, u64 done, u64 size) { std::memcpy(&to[done], place, size); });
    ring_.consume(count);
    return count;
}

Result<u64> PipeReader::read(std::span<u8> to, u64 deadline) {
    if (to.empty()) return u64{0};
    RingWords& words = memory_.at<RingWords>(0);
    bool at_end = false;
    const auto attempt = [&]() -> Result<u64> {
        // Order: closed is read first, so that what was written before it was closed is seen behind it.
        const bool closed = ring_.peer_closed();
        const u64 count = TRY(try_read(to));
        at_end = closed && count == 0;
        return at_end ? u64{1} : count;
    };
    const u64 count = TRY(do_with_peer(peer_, memory_, deadline, attempt, [&] {
        return std::array{changes_from(words.produced, ring_.seen()), becomes_set(words.producer_closed)};
    }));
    return at_end ? u64{0} : count;
}

Outcome PipeReader::read_all(std::span<u8> to, u64 deadline) {
    while (!to.empty()) {
        const u64 count = TRY(read(to, deadline));
        if (count == 0) return Error::ended;
        to = to.subspan(count);
    }
    return Done{};
}

}  // namespace tessera::libos
