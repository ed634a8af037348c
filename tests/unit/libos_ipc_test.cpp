// Rings, pipes, message queues and semaphores with a peer that the test plays: by the rules, and not.
#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <vector>

#include "libos/core/pages.hpp"
#include "libos/ipc/message_queue.hpp"
#include "libos/ipc/pipe.hpp"
#include "libos/ipc/semaphore.hpp"
#include "libos/transfer/board.hpp"
#include "tests/unit/libos_kernel.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::libos;
using tessera::test::HostKernel;

namespace {

u64 next_page;
std::function<Outcome()> while_asleep;
u64 notified;

}  // namespace

// What this folder's code expects from the rest of libos, which needs a kernel.
namespace tessera::libos {
PageNumber reserve_pages(u64 count, u64 alignment) {
    const u64 next = HostKernel::current->first_page().value + next_page, first = (next + alignment - 1) / alignment * alignment;
    next_page += first - next + count + 1;  // and an unbound one behind
    return PageNumber{first};
}
Outcome sleep_for_peer(EnvId, std::span<const WakeTerm>, u64, u64) { return while_asleep(); }
Outcome post(std::string_view, const Capability&) { return Error::exhausted; }
Result<Capability> await_post(std::string_view, std::string_view, u64) { return Error::asleep; }
Outcome Gate::notify(u64 events) const {
    notified |= events;
    return Done{};
}
}  // namespace tessera::libos

namespace {

/// A kernel, and memory in it that both ends use.
struct Shared {
    HostKernel kernel;
    SharedMemory memory;

    explicit Shared(u64 pages) {
        next_page = 0;
        while_asleep = [] { return Outcome(Error::asleep); };
        use_shared_memory();
        // The page that stands in for lost ones is taken once, from the first kernel, behind the first memory: later kernels have
        // no other use for it, and the same grant number there.
        static u64 before = 0;
        Capability others;
        if (before != 0)
            for (const u64 count : {before, u64{64}}) REQUIRE(call<FrameAlloc>({FrameNumber{kAny}, count, 1, address(others)}).ok());
        else
            before = pages;
        REQUIRE(memory.create(pages).ok());
    }
    ~Shared() { memory.detach(); }
};

u8 byte_at(u64 position) { return static_cast<u8>(position * 131 >> 3); }

}  // namespace

TEST_CASE("ring: counts go round, also past the end of 64 bits") {
    RingWords words{};
    RingProducer producer(words, 8);
    RingConsumer consumer(words, 8);
    test::Random random(1);
    u64 inside = 0;
    for (u64 i = 0; i < 10000; ++i) {
        if (random.below(2) == 0) {
            const auto room = producer.room();
            REQUIRE(room.ok());
            REQUIRE(room.value() == 8 - inside);
            const u64 count = random.below(room.value() + 1);
            producer.produce(count);
            inside += count;
        } else {
            const auto filled = consumer.filled();
            REQUIRE(filled.ok());
            REQUIRE(filled.value() == inside);
            const u64 count = random.below(filled.value() + 1);
            consumer.consume(count);
            inside -= count;
        }
    }
}

TEST_CASE("ring: what cannot be is an error, and what is believed lies in the ring") {
    test::Random random(2);
    for (u64 i = 0; i < 20000; ++i) {
        RingWords words{};
        RingProducer producer(words, 16);
        RingConsumer consumer(words, 16);
        producer.produce(random.below(17));
        REQUIRE(consumer.filled().ok());
        consumer.consume(random.below(consumer.filled().value() + 1));
        REQUIRE(producer.room().ok());
        const u64 produced = producer.position(), consumed = consumer.position();
        words.produced = random.below(2) ? random.next() : produced + random.below(40) - 20;
        words.consumed = random.below(2) ? random.next() : consumed + random.below(40) - 20;
        const auto room = producer.room();
        CHECK(room.ok() == (words.consumed - consumed <= produced - consumed));
        if (room.ok()) CHECK(room.value() <= 16);
        const auto filled = consumer.filled();
        CHECK(filled.ok() == (words.produced - consumed <= 16 && words.produced - consumed >= produced - consumed));
        if (filled.ok()) CHECK(filled.value() <= 16);
    }
}

TEST_CASE("pipe: bytes in order, whoever sleeps; the end is seen behind the last of them") {
    Shared shared(3);
    PipeWriter writer(shared.memory, {});
    PipeReader reader(shared.memory, {});
    test::Random random(3);
    u64 read = 0, written = 0;
    constexpr u64 kTotal = 200000;
    std::vector<u8> out(20000), in(20000);
    const auto read_some = [&] {
        const auto count = reader.try_read({in.data(), 1 + random.below(in.size())});
        REQUIRE(count.ok());
        for (u64 i = 0; i < count.value(); ++i) REQUIRE(in[i] == byte_at(read + i));
        read += count.value();
        return Outcome(Done{});
    };
    while_asleep = read_some;
    while (written < kTotal) {
        const u64 size = std::min<u64>(kTotal - written, 1 + random.below(out.size()));
        for (u64 i = 0; i < size; ++i) out[i] = byte_at(written + i);
        REQUIRE(writer.write({out.data(), size}).ok());
        written += size;
    }
    writer.close();
    u64 last;
    do {
        const auto count = reader.read({in.data(), 1000});
        REQUIRE(count.ok());
        last = count.value();
        read += last;
    } while (last != 0);
    CHECK(read == kTotal);
    reader.close();
    CHECK(writer.write({out.data(), 1}).error() == Error::ended);
}

TEST_CASE("pipe: a reader that sleeps is woken by what is written, by the close, by nobody") {
    Shared shared(2);
    PipeWriter writer(shared.memory, {});
    PipeReader reader(shared.memory, {});
    u8 bytes[8] = {1, 2, 3};
    CHECK(reader.read(bytes).error() == Error::asleep);
    while_asleep = [&] { return writer.write({bytes, 3}); };
    u8 got[8];
    const auto count = reader.read(got);
    CHECK((count.ok() && count.value() == 3 && got[2] == 3));
    while_asleep = [&] {
        writer.close();
        return Outcome(Done{});
    };
    CHECK(reader.read_all(got).error() == Error::ended);
}

TEST_CASE("pipe: what was written in the last moment of a peer that ended is read") {
    Shared shared(2);
    PipeWriter dying(shared.memory, {});
    PipeReader heir(shared.memory, {});
    u8 bytes[3] = {1, 2, 3}, got[8];
    while_asleep = [&] {
        REQUIRE(dying.write({bytes, 3}).ok());
        return Outcome(Error::ended);
    };
    CHECK(heir.read(got).value() == 3);
    while_asleep = [] { return Outcome(Error::ended); };
    CHECK(heir.read(got).error() == Error::ended);
}

TEST_CASE("pipe: somebody scribbles over the page: errors and wrong bytes, and not one outside") {
    test::Random random(4);
    u64 errors = 0, went = 0;
    for (u64 round = 0; round < 200; ++round) {
        Shared shared(2);
        PipeWriter writer(shared.memory, {});
        PipeReader reader(shared.memory, {});
        std::vector<u8> bytes(5000);
        const auto scribble = [&] {
            RingWords& words = shared.memory.at<RingWords>(0);
            u64* const all[] = {&words.produced, &words.consumed};
            *all[random.below(2)] = random.below(3) != 0 ? random.below(9000) : random.next();
        };
        while_asleep = [&] {
            scribble();
            return random.below(8) == 0 ? Outcome(Error::asleep) : Done{};
        };
        for (u64 i = 0; i < 20; ++i) {
            const u64 size = 1 + random.below(bytes.size());
            const bool ok = random.below(2) ? writer.write({bytes.data(), size}).ok() : reader.read({bytes.data(), size}).ok();
            ++(ok ? went : errors);
            if (random.below(4) == 0) scribble();
        }
    }
    CHECK(errors > 100);
    CHECK(went > 100);
}

TEST_CASE("message queue: the most urgent first, among equals the oldest, each as it was sent") {
    constexpr QueueShape kShape{4, 8, 24};
    Shared shared(kShape.pages());
    QueueSender sender(shared.memory, kShape, {});
    QueueReceiver receiver(shared.memory, kShape, {});
    std::array<std::deque<std::vector<u8>>, 4> model;
    test::Random random(5);
    for (u64 i = 0; i < 20000; ++i) {
        if (random.below(2) == 0) {
            std::vector<u8> message(1 + random.below(24));
            for (u8& each : message) each = static_cast<u8>(random.next());
            const u64 priority = random.below(4);
            const auto sent = sender.try_send(message, priority);
            REQUIRE(sent.ok());
            REQUIRE((sent.value() != 0) == (model[priority].size() < 8));
            if (sent.value() != 0) model[priority].push_back(message);
        } else {
            u8 buffer[24];
            const auto got = receiver.try_receive(buffer);
            REQUIRE(got.ok());
            u64 most = 4;
            while (most != 0 && model[most - 1].empty()) --most;
            if (most == 0) {
                REQUIRE(got.value().length == 0);
                continue;
            }
            REQUIRE(got.value().priority == most - 1);
            REQUIRE(std::vector<u8>(buffer, buffer + got.value().length) == model[most - 1].front());
            model[most - 1].pop_front();
        }
    }
}

TEST_CASE("message queue: what is refused, and the end") {
    constexpr QueueShape kShape{2, 2, 16};
    CHECK(kShape.canonical());
    for (QueueShape bad : {QueueShape{0, 2, 16}, QueueShape{9, 2, 16}, QueueShape{2, 3, 16}, QueueShape{2, 0, 16}, QueueShape{2, 2, 0}})
        CHECK(!bad.canonical());
    Shared shared(kShape.pages());
    QueueSender sender(shared.memory, kShape, {});
    QueueReceiver receiver(shared.memory, kShape, {});
    const std::vector<u8> message(17);
    CHECK(sender.send({message.data(), 17}, 0).error() == Error::out_of_range);
    CHECK(sender.send({message.data(), 0}, 0).error() == Error::out_of_range);
    CHECK(sender.send({message.data(), 1}, 2).error() == Error::out_of_range);
    for (u64 i = 0; i < 2; ++i) CHECK(sender.send({message.data(), 16}, 1).ok());
    CHECK(sender.send({message.data(), 16}, 1).error() == Error::asleep);
    CHECK(sender.send({message.data(), 3}, 0).ok());
    sender.close();
    u8 buffer[16];
    CHECK(receiver.receive({buffer, 8}).error() == Error::out_of_range);
    CHECK(receiver.receive(buffer).value().length == 16);
    CHECK(receiver.receive(buffer).value().length == 3);
    CHECK(receiver.receive(buffer).error() == Error::ended);
    receiver.close();
    CHECK(sender.send({message.data(), 1}, 0).error() == Error::ended);
}

TEST_CASE("message queue: lengths and counts that lie") {
    constexpr QueueShape kShape{3, 4, 32};
    test::Random random(6);
    u64 errors = 0, went = 0;
    for (u64 round = 0; round < 500; ++round) {
        Shared shared(kShape.pages());
        QueueSender sender(shared.memory, kShape, {});
        QueueReceiver receiver(shared.memory, kShape, {});
        const std::vector<u8> message(32);
        for (u64 i = 0; i < 20; ++i) {
            u8 buffer[32];
            const bool ok = random.below(2) ? sender.try_send({message.data(), 1 + random.below(32)}, random.below(3)).ok()
                                            : receiver.try_receive(buffer).ok();
            ++(ok ? went : errors);
            if (random.below(3) == 0) shared.memory.at<u64>(random.below(shared.memory.size() / 8) * 8) = random.next();
            if (random.below(3) == 0) shared.memory.at<u64>(random.below(kShape.slot_at(3, 0) / 8) * 8) = random.below(64);
        }
    }
    CHECK(errors > 100);
    CHECK(went > 1000);
}

TEST_CASE("semaphore: counts, sleeps, and tells who sleeps elsewhere") {
    Shared shared(1);
    Semaphore semaphore(shared.memory, 64);
    CHECK(!semaphore.try_acquire());
    semaphore.release(2);
    CHECK(semaphore.try_acquire());
    CHECK(semaphore.acquire().ok());
    CHECK(semaphore.acquire().error() == Error::asleep);
    while_asleep = [&] {
        semaphore.release();
        return Outcome(Done{});
    };
    CHECK(semaphore.acquire().ok());
    CHECK(shared.memory.at<u64>(64) == 0);
    notified = 0;
    semaphore.release();
    CHECK(notified == 0);
}

TEST_CASE("shared memory: what its owner takes away is replaced, and that is said") {
    Shared shared(4);
    const Capability granted = shared.memory.grant(EnvId{0x101}, Right::read | Right::write).value();
    CHECK(granted.caveats == 2);
    SharedMemory attached;
    REQUIRE(attached.attach(granted, 4, Right::read | Right::write).ok());
    shared.memory.at<u64>(8) = 7;
    CHECK(attached.at<u64>(8) == 7);

    // Bindings come and go: nothing is lost by that.
    shared.kernel.drop_all();
    CHECK(attached.at<u64>(8) == 7);
    CHECK(!attached.lost());

    shared.kernel.take_away(FrameNumber{granted.first}, 4);
    PipeWriter writer(attached, {});
    const u8 bytes[4] = {};
    CHECK(writer.write(bytes).error() == Error::ended);
    CHECK(attached.lost());
    attached.at<u64>(4096 * 3) = 5;  // touched, and nothing comes of it
    // The same in the last moment: what stands in looks as if something had been written.
    attached.detach();
    SharedMemory again;
    shared.memory.detach();
    REQUIRE(shared.memory.create(4).ok());
    const Capability second = shared.memory.grant(EnvId{0x101}, Right::read | Right::write).value();
    REQUIRE(again.attach(second, 4, Right::read | Right::write).ok());
    PipeReader reader(again, {});
    while_asleep = [&] {
        shared.kernel.take_away(FrameNumber{second.first}, 4);
        again.at<u64>(2048) = 1;  // lost
        again.at<RingWords>(0).produced = 1;
        return Outcome(Error::ended);
    };
    u8 got[1];
    CHECK(reader.read(got).error() == Error::ended);
    again.detach();
    CHECK(!again.attach(second, 4, Right::read).ok());
}

TEST_CASE("shared memory: only what the bytes allow") {
    Shared shared(2);
    SharedMemory attached;
    CHECK(attached.attach(shared.memory.grant(EnvId{0x101}, Right::read).value(), 0, Right::read).error() == Error::bad_argument);
    CHECK(attached.attach(shared.memory.grant(EnvId{0x101}, Right::read).value(), 3, Right::read).error() == Error::denied);
    REQUIRE(attached.attach(shared.memory.grant(EnvId{0x101}, Right::read).value(), 2, Right::read).ok());
    const auto write = static_cast<u64>(AccessKind::write), fetch = static_cast<u64>(AccessKind::fetch);
    CHECK(!SharedMemory::resolve(address(attached.at<u64>(0)), write));
    CHECK(!SharedMemory::resolve(address(attached.at<u64>(0)), fetch));
    CHECK(SharedMemory::resolve(address(attached.at<u64>(0)), 0));
    CHECK(attached.grant(EnvId{0x101}, Right::read).error() == Error::bad_argument);
    attached.detach();
    CHECK(!SharedMemory::resolve(address(attached.at<u64>(0)), 0));
}
