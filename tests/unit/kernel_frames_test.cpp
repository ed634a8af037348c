// The frame table against a model that looks at every frame: what is found is free, aligned and complete, what is not
// found is not there, and nothing gets lost in between.
#include <doctest/doctest.h>

#include <set>
#include <vector>

#include "exokernel/core/frames.hpp"
#include "tests/unit/random.hpp"

namespace tessera::kernel {
namespace {

using test::Random;

/// A frame table over memory of its own.
struct World {
    explicit World(u64 count) : infos(count), bits(count / 64 + 2) { table.initialise(infos.data(), bits.data(), count); }
    std::vector<FrameInfo> infos;
    std::vector<u64> bits;
    FrameTable table;
};

FrameRange run(u64 first, u64 count) { return FrameRange{FrameNumber{first}, count}; }

/// Is there a free run as asked for? The slow way.
bool there_is(const std::vector<u64>& owner, u64 count, u64 alignment) {
    for (u64 start = 0; start + count <= owner.size(); start += alignment) {
        u64 free = 0;
        while (free < count && owner[start + free] == 0) ++free;
        if (free == count) return true;
    }
    return false;
}

void check_conserved(World& world, const std::vector<u64>& owner) {
    u64 free = 0;
    for (u64 i = 0; i < owner.size(); ++i) {
        const FrameInfo& info = world.infos[i];
        REQUIRE((info.state == FrameState::free) == (owner[i] == 0));
        if (owner[i] != ~u64{0}) REQUIRE(info.owner == owner[i]);
        REQUIRE((world.bits[i / 64] >> i % 64 & 1) == (owner[i] == 0));
        free += owner[i] == 0;
    }
    REQUIRE(world.table.free_count() == free);
}

TEST_CASE("a range contains what lies in it, and nothing that wraps") {
    const FrameRange range = run(10, 5);
    CHECK(range.contains(run(10, 5)));
    CHECK(range.contains(run(14, 1)));
    CHECK_FALSE(range.contains(run(9, 1)));
    CHECK_FALSE(range.contains(run(14, 2)));
    CHECK_FALSE(range.contains(run(15, 1)));
    CHECK_FALSE(range.contains(run(11, ~u64{0})));
    CHECK_FALSE(range.contains(run(~u64{0}, 1)));
    CHECK_FALSE(range.contains(run(~u64{0}, ~u64{0})));
}

TEST_CASE("ranges that leave the table do not exist") {
    World world(100);
    CHECK(world.table.exists(run(0, 100)));
    CHECK(world.table.exists(run(99, 1)));
    CHECK_FALSE(world.table.exists(run(99, 2)));
    CHECK_FALSE(world.table.exists(run(100, 0)));
    CHECK_FALSE(world.table.exists(run(1, ~u64{0})));
    CHECK_FALSE(world.table.exists(run(~u64{0}, 2)));
}

TEST_CASE("named frames: in range, free, and then taken") {
    World world(64);
    world.table.add_free(run(8, 48));
    CHECK(world.table.check_free(FrameNumber{64}, 1, 1).error() == Error::out_of_range);
    CHECK(world.table.check_free(FrameNumber{60}, 5, 1).error() == Error::out_of_range);
    CHECK(world.table.check_free(FrameNumber{1}, ~u64{0}, 1).error() == Error::out_of_range);
    CHECK(world.table.check_free(FrameNumber{7}, 2, 1).error() == Error::conflict);
    const auto found = world.table.check_free(FrameNumber{20}, 4, 1);
    REQUIRE(found.ok());
    CHECK(world.table.free_count() == 48);  // looking takes nothing
    world.table.commit_take(found.value(), EnvId{5}, FrameState::owned);
    CHECK(world.table.check_free(FrameNumber{23}, 1, 1).error() == Error::conflict);
    CHECK(world.table.check_free(FrameNumber{24}, 1, 1).ok());
}

TEST_CASE("a frame that comes back is dirty, nobody's, and under a number never seen before") {
    World world(64);
    world.table.add_free(run(0, 64));
    std::set<u64> grants;
    for (u64 i = 0; i < 64; ++i) grants.insert(world.infos[i].grant);
    CHECK(grants.size() == 64);
    for (u64 round = 0; round < 50; ++round) {
        const FrameRange range = world.table.check_free(FrameNumber{kAny}, 3, 1).value();
        const u64 grant = world.table.commit_take(range, EnvId{7}, FrameState::owned);
        CHECK(grants.insert(grant).second);
        world.table.info(range.first).flags = frame_flag::kSaveArea;
        const u64 recast = world.table.commit_recast(run(range.first.value, 2), FrameState::charged, 0, 3);
        CHECK(grants.insert(recast).second);
        CHECK(world.table.info(range.first).grant == recast);
        CHECK(world.table.info(range.first + 2).grant == grant);
        CHECK(world.table.info(range.first).owner == 7);
        world.table.commit_release(range);
        for (u64 i = 0; i < 3; ++i) {
            const FrameInfo& info = world.table.info(range.first + i);
            CHECK(grants.insert(info.grant).second);
            CHECK(info.owner == 0);
            CHECK(info.context == 0);
            CHECK(info.flags == frame_flag::kDirty);
            CHECK(info.state == FrameState::free);
        }
    }
}

TEST_CASE("any frames: random taking and releasing against a model") {
    for (u64 seed = 1; seed <= 12; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        const u64 count = random.between(1, 700);
        World world(count);
        std::vector<u64> owner(count, ~u64{0});  // ~0: not memory at all
        for (u64 first = 0; first < count;) {
            const u64 length = random.between(1, 200) < count - first ? random.between(1, 200) : count - first;
            const u64 fits = length < count - first ? length : count - first;
            if (!random.one_in(4)) {
                world.table.add_free(run(first, fits));
                for (u64 i = 0; i < fits; ++i) owner[first + i] = 0;
            } else {
                world.table.reserve(run(first, fits));
            }
            first += fits;
        }
        const u64 usable = world.table.usable();
        check_conserved(world, owner);
        std::vector<FrameRange> held;
        for (u64 step = 0; step < 1500; ++step) {
            if (random.one_in(2) || held.empty()) {
                const u64 wanted = random.one_in(5) ? random.between(1, count) : random.between(1, 12);
                const u64 alignment = u64{1} << random.below(8);
                const auto found = world.table.check_free(FrameNumber{kAny}, wanted, alignment);
                REQUIRE(found.ok() == there_is(owner, wanted, alignment));
                if (!found.ok()) {
                    REQUIRE(found.error() == Error::exhausted);
                    continue;
                }
                const FrameRange range = found.value();
                REQUIRE(range.count == wanted);
                REQUIRE(range.first.value % alignment == 0);
                const u64 id = random.between(1, 60);
                world.table.commit_take(range, EnvId{id}, FrameState::owned);
                for (u64 i = 0; i < wanted; ++i) {
                    REQUIRE(owner[range.first.value + i] == 0);
                    owner[range.first.value + i] = id;
                }
                held.push_back(range);
            } else {  // part of something that was taken
                const u64 which = random.below(held.size());
                const FrameRange range = held[which];
                const u64 skip = random.below(range.count), length = random.between(1, range.count - skip);
                held[which] = held.back();
                held.pop_back();
                if (skip != 0) held.push_back(run(range.first.value, skip));
                if (skip + length < range.count) held.push_back(run(range.first.value + skip + length, range.count - skip - length));
                world.table.commit_release(run(range.first.value + skip, length));
                for (u64 i = 0; i < length; ++i) owner[range.first.value + skip + i] = 0;
            }
            if (step % 50 == 0) check_conserved(world, owner);
        }
        for (const FrameRange& range : held) world.table.commit_release(range);
        CHECK(world.table.free_count() == usable);
    }
}

TEST_CASE("more than there is") {
    World world(128);
    world.table.add_free(run(1, 100));
    CHECK(world.table.check_free(FrameNumber{kAny}, 101, 1).error() == Error::exhausted);
    CHECK(world.table.check_free(FrameNumber{kAny}, 65536, 65536).error() == Error::exhausted);
    CHECK(world.table.check_free(FrameNumber{kAny}, 100, 1).value().first == FrameNumber{1});
    CHECK(world.table.check_free(FrameNumber{kAny}, 64, 64).error() == Error::exhausted);
    CHECK(world.table.check_free(FrameNumber{kAny}, 1, 64).value().first == FrameNumber{64});
}

}  // namespace
}  // namespace tessera::kernel
