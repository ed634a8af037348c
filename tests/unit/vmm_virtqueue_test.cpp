// Virtqueues: random chains against what was put there, and every lie that a guest can tell.
#include <doctest/doctest.h>

#include "libos/vmm/devices/virtqueue.hpp"
#include "tests/unit/random.hpp"
#include "tests/unit/vmm_machine.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

namespace {

constexpr u16 kSize = 16;
constexpr u32 kQueuePage = 2;
constexpr u64 kBuffers = 16 * kPageSize;

struct Pair {
    TestMemory memory{64};
    GuestQueue guest{memory, kQueuePage, kSize};
    VirtQueue queue{kSize};
    Chain chain;

    Pair() { queue.place(memory, kQueuePage); }
    bool take() { return queue.take(memory, chain); }
    /// The next chain is a lie, and the queue says so and stops.
    bool refuses(std::string_view part) {
        const bool refused =
            !take() && queue.problem() != nullptr && std::string_view(queue.problem()).find(part) != std::string::npos;
        guest.offer({{kBuffers, 16, false}});
        return refused && !queue.ready() && !take() && !queue.finish(memory, 0, 0);
    }
};

}  // namespace

TEST_CASE("vmm: chains are what the guest put together") {
    Pair pair;
    Random random(12);
    u16 finished = 0;
    for (u32 round = 0; round < 3000; ++round) {
        std::vector<Buffer> buffers(random.between(1, kSize));
        const u64 first_written = random.below(buffers.size() + 1);
        u64 readable = 0, writable = 0;
        Bytes expected;
        for (u64 i = 0; i < buffers.size(); ++i) {
            const u32 length = static_cast<u32>(random.one_in(8) ? 0 : random.between(1, 5000));
            buffers[i] = {kBuffers + random.below(40 * kPageSize), length, i >= first_written};
            (buffers[i].device_writes ? writable : readable) += length;
        }
        // Order: all bytes first, as buffers may overlap.
        for (const Buffer& buffer : buffers) {
            Bytes bytes(buffer.length);
            for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
            REQUIRE(pair.memory.copy_out(buffer.address, bytes));
        }
        for (const Buffer& buffer : buffers) {
            if (buffer.device_writes) continue;
            Bytes bytes(buffer.length);
            REQUIRE(pair.memory.copy_in(bytes, buffer.address));
            expected.insert(expected.end(), bytes.begin(), bytes.end());
        }
        // In the ring, or in a table of its own, in any order of descriptors.
        if (random.one_in(2)) {
            const u64 table = 60 * kPageSize;
            for (u16 i = 0; i < buffers.size(); ++i)
                pair.guest.descriptor(table, i, buffers[i].address, buffers[i].length,
                                      static_cast<u16>((i + 1u != buffers.size()) | buffers[i].device_writes << 1),
                                      static_cast<u16>(i + 1));
            pair.guest.descriptor(pair.guest.table(), 3, table, static_cast<u32>(16 * buffers.size()), 4, 0);
            pair.guest.offer_head(3);
        } else {
            std::vector<u16> places(kSize);
            for (u16 i = 0; i < kSize; ++i) places[i] = i;
            for (u64 i = kSize - 1; i > 0; --i) std::swap(places[i], places[random.below(i + 1)]);
            for (u16 i = 0; i < buffers.size(); ++i) {
                const bool last = i + 1u == buffers.size();
                pair.guest.descriptor(pair.guest.table(), places[i], buffers[i].address, buffers[i].length,
                                      static_cast<u16>((last ? 0 : 1) | buffers[i].device_writes << 1),
                                      last ? 0xffff : places[i + 1]);
            }
            pair.guest.offer_head(places[0]);
        }

        REQUIRE(pair.take());
        REQUIRE(pair.chain.readable() == readable);
        REQUIRE(pair.chain.writable() == writable);
        const u64 from = random.below(readable + 1), count = random.below(readable - from + 1);
        Bytes read(count);
        REQUIRE(pair.chain.read(pair.memory, from, read));
        REQUIRE(std::equal(read.begin(), read.end(), expected.begin() + static_cast<long>(from)));
        Bytes too_much(readable - from + 1);
        REQUIRE_FALSE(pair.chain.read(pair.memory, from, too_much));
        if (writable != 0 && first_written + 1 == buffers.size()) {
            const u64 to = random.below(writable);
            Bytes written(writable - to, std::byte{0x5a}), back(writable - to);
            REQUIRE(pair.chain.write(pair.memory, to, written));
            REQUIRE(pair.memory.copy_in(back, buffers.back().address + to));
            REQUIRE(back == written);
        }
        REQUIRE(pair.queue.finish(pair.memory, pair.chain.head(), round));
        REQUIRE(pair.guest.used_index() == ++finished);
        REQUIRE(pair.guest.used_head(static_cast<u16>(finished - 1)) == pair.chain.head());
        REQUIRE(pair.guest.used_length(static_cast<u16>(finished - 1)) == round);
        REQUIRE_FALSE(pair.take());
    }
    CHECK(pair.memory.outside == 0);
}

TEST_CASE("vmm: indices go round at 65536") {
    Pair pair;
    for (u32 i = 0; i < 70'000; ++i) {
        pair.guest.offer({{kBuffers, 1, false}}, static_cast<u16>(i % kSize));
        REQUIRE(pair.take());
        REQUIRE(pair.queue.finish(pair.memory, pair.chain.head(), 0));
    }
    CHECK(pair.guest.used_index() == static_cast<u16>(70'000));
}

TEST_CASE("vmm: a guest is interrupted unless it does not want to be") {
    Pair pair;
    CHECK(pair.queue.wants_interrupt(pair.memory));
    pair.guest.suppress_interrupts(true);
    CHECK_FALSE(pair.queue.wants_interrupt(pair.memory));
}

TEST_CASE("vmm: a ring that lies is found out") {
    SUBCASE("a head that is no descriptor") {
        Pair pair;
        pair.guest.offer_head(kSize);
        CHECK(pair.refuses("out of range"));
    }
    SUBCASE("a next that is no descriptor") {
        Pair pair;
        pair.guest.descriptor(pair.guest.table(), 0, kBuffers, 1, 1, 0xfff0);
        pair.guest.offer_head(0);
        CHECK(pair.refuses("out of range"));
    }
    SUBCASE("a chain that bites its tail") {
        Pair pair;
        for (u16 i = 0; i < 3; ++i)
            pair.guest.descriptor(pair.guest.table(), i, kBuffers, 1, 1, static_cast<u16>((i + 1) % 3));
        pair.guest.offer_head(0);
        CHECK(pair.refuses("longer than its queue"));
    }
    SUBCASE("more than fits") {
        Pair pair;
        pair.guest.set_offered(kSize + 1);
        CHECK(pair.refuses("than the queue can hold"));
    }
    SUBCASE("fewer than before") {
        Pair pair;
        pair.guest.offer({{kBuffers, 1, false}});
        REQUIRE(pair.take());
        pair.guest.set_offered(0);
        CHECK(pair.refuses("than the queue can hold"));
    }
    SUBCASE("a buffer that is no memory") {
        for (const auto& [address, length] : {std::pair<u64, u32>{64 * kPageSize, 1},
                                              {64 * kPageSize - 1, 2},
                                              {~u64{0}, 1},
                                              {~u64{0} - 3, 8},
                                              {0, ~u32{0}},
                                              {u64{1} << 63, 16}}) {
            Pair pair;
            pair.guest.offer({{address, length, false}});
            CHECK(pair.refuses("not in memory"));
        }
    }
    SUBCASE("something to read behind something to write") {
        Pair pair;
        pair.guest.offer({{kBuffers, 1, true}, {kBuffers, 1, false}});
        CHECK(pair.refuses("behind what it writes"));
    }
    SUBCASE("indirect tables that go on, that are broken, that are empty, that are nowhere, that loop") {
        struct Lie {
            u64 table;
            u32 length;
            u16 flags;
            const char* problem;
        };
        const u64 table = 60 * kPageSize;
        for (const Lie& lie :
             {Lie{table, 32, 4 | 1, "goes on"}, Lie{table, 24, 4, "broken"}, Lie{table, 0, 4, "out of range"},
              Lie{~u64{0} - 15, 32, 4, "not in memory"}, Lie{64 * kPageSize, 16, 4, "not in memory"},
              Lie{table, 64, 4, "longer"}, Lie{table + 128, 64, 4, "goes on"}, Lie{table, 16, 4, "out of range"}}) {
            Pair pair;
            pair.guest.descriptor(table, 0, kBuffers, 1, 1, 1);
            pair.guest.descriptor(table, 1, kBuffers, 1, 1, 0);
            pair.guest.descriptor(table + 128, 0, table, 64, 4, 0);
            pair.guest.descriptor(pair.guest.table(), 5, lie.table, lie.length, lie.flags, 0);
            pair.guest.offer_head(5);
            CHECK_MESSAGE(pair.refuses(lie.problem), lie.problem);
        }
    }
    SUBCASE("a queue that lies outside of memory, or in a hole of it") {
        Pair pair;
        for (const u32 page : {64u, 63u, ~u32{0}}) {
            pair.queue.place(pair.memory, page);
            CHECK(pair.queue.problem() != nullptr);
            CHECK_FALSE(pair.take());
        }
        pair.memory.holes = {kQueuePage};
        pair.queue.place(pair.memory, kQueuePage);
        CHECK(pair.refuses("not in memory"));
        pair.memory.holes = {kQueuePage + 1};  // the used ring
        pair.queue.place(pair.memory, kQueuePage);
        CHECK_FALSE(pair.queue.finish(pair.memory, 0, 0));
        CHECK_FALSE(pair.queue.ready());
    }
    SUBCASE("placing it again forgives") {
        Pair pair;
        pair.guest.offer_head(99);
        CHECK_FALSE(pair.take());
        pair.queue.place(pair.memory, kQueuePage);
        pair.guest.set_offered(0);
        pair.guest.offer({{kBuffers, 1, false}});
        CHECK(pair.take());
    }
}

TEST_CASE("vmm: a buffer in a hole of memory fails when it is used, and nothing else does") {
    Pair pair;
    pair.memory.holes = {20};
    pair.memory.read_only = {21};
    pair.guest.offer({{20 * kPageSize - 8, 16, false}, {21 * kPageSize, 16, true}});
    REQUIRE(pair.take());
    std::byte bytes[16]{};
    CHECK(pair.chain.read(pair.memory, 0, std::span(bytes, 8)));
    CHECK_FALSE(pair.chain.read(pair.memory, 0, bytes));
    CHECK_FALSE(pair.chain.write(pair.memory, 0, bytes));
    CHECK(pair.queue.finish(pair.memory, pair.chain.head(), 0));
}
