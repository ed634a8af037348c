// The heap: random use with every byte checked, and its own consistency after each step.
#include <doctest/doctest.h>

#include <cstring>
#include <vector>

#include "libos/heap/heap.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::libos;
using tessera::test::Random;

namespace {

struct Allocation {
    unsigned char* memory;
    u64 size;
    unsigned char pattern;

    void fill() const { std::memset(memory, pattern, size); }
    bool is_intact() const {
        for (u64 i = 0; i < size; ++i)
            if (memory[i] != pattern) return false;
        return true;
    }
};

}  // namespace

TEST_CASE("libos: the heap gives disjoint, aligned memory and takes all of it back") {
    std::vector<unsigned char> memory(256 << 10);
    for (u64 seed = 1; seed <= 4; ++seed) {
        Heap heap;
        // From an odd address on, to see that it copes.
        REQUIRE(heap.open(memory.data() + seed, memory.size() - seed));
        Random random(seed);
        std::vector<Allocation> live;
        u64 refused = 0;
        for (u64 step = 0; step < 6000; ++step) {
            if (random.below(100) < (step / 1000 % 2 == 0 ? 60u : 40u)) {
                const u64 size = random.one_in(10) ? random.below(20'000) : random.below(300);
                const u64 alignment = random.one_in(8) ? u64{1} << random.between(5, 12) : 16;
                auto* payload = static_cast<unsigned char*>(heap.allocate(size, alignment));
                if (payload == nullptr) {
                    ++refused;
                } else {
                    REQUIRE(reinterpret_cast<u64>(payload) % alignment == 0);
                    REQUIRE(payload >= memory.data() + seed);
                    REQUIRE(payload + size <= memory.data() + memory.size());
                    live.push_back({payload, size, static_cast<unsigned char>(random.next())});
                    live.back().fill();
                }
            } else if (!live.empty()) {
                const u64 which = random.below(live.size());
                REQUIRE(live[which].is_intact());
                heap.release(live[which].memory);
                live[which] = live.back();
                live.pop_back();
            }
            if (step % 16 == 0) REQUIRE(heap.is_consistent());
        }
        for (const Allocation& each : live) {
            REQUIRE(each.is_intact());
            heap.release(each.memory);
        }
        CHECK(heap.is_consistent());
        CHECK(heap.used() == 0);
        // One block again: nearly everything can be had at once.
        void* everything = heap.allocate(memory.size() - 128);
        CHECK(everything != nullptr);
        CHECK(refused > 0);
    }
}

TEST_CASE("libos: the heap refuses what it cannot hold") {
    alignas(16) unsigned char memory[4096];
    Heap heap;
    CHECK(heap.allocate(1) == nullptr);
    CHECK_FALSE(heap.open(memory, 64));
    REQUIRE(heap.open(memory, sizeof memory));
    CHECK_FALSE(heap.open(memory, sizeof memory));
    CHECK(heap.allocate(sizeof memory) == nullptr);
    CHECK(heap.allocate(~u64{0}) == nullptr);
    CHECK(heap.allocate(~u64{0} - 7) == nullptr);
    CHECK(heap.allocate(16, u64{1} << 50) == nullptr);
    void* nothing = heap.allocate(0);
    CHECK(nothing != nullptr);
    heap.release(nothing);
    heap.release(nullptr);
    CHECK(heap.used() == 0);
    CHECK(heap.is_consistent());
}

TEST_CASE("libos: the heap notices a header that was written over") {
    alignas(16) unsigned char memory[4096];
    Heap heap;
    REQUIRE(heap.open(memory, sizeof memory));
    auto* first = static_cast<unsigned char*>(heap.allocate(40));
    void* second = heap.allocate(40);
    REQUIRE(second != nullptr);
    REQUIRE(heap.is_consistent());
    std::memset(first, 0xff, 56);
    CHECK_FALSE(heap.is_consistent());
}
