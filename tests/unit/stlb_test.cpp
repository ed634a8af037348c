// The software TLB's parts against models that search: the words given to the hardware, where an entry stands, the
// loop over neighbours, and the lists of bindings by frame.
#include <doctest/doctest.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "stlb/stlb.hpp"
#include "tests/unit/random.hpp"

namespace tessera {
namespace {

using test::Random;

/// An S-TLB with memory of its own. Name 0 means nobody in the lists, so the entries begin a little later.
struct World {
    World(u64 entries, u64 guaranteed, u64 frames)
        : memory(entries + guaranteed + 1), infos(frames), map(reinterpret_cast<std::byte*>(memory.data()), infos.data()) {
        stlb.entries = memory.data() + 1;
        stlb.mask = entries - 1;
        stlb.guaranteed = stlb.entries + entries;
        stlb.set_mask = guaranteed / kWays - 1;
        stlb.reset(&dead);
    }
    std::vector<StlbEntry> memory;
    std::vector<FrameInfo> infos;
    BackMap map;
    Stlb stlb{};
    u64 dead = 0;
};

constexpr Rights kRights[] = {Right::read, Right::read | Right::write, Right::read | Right::execute,
                              Right::read | Right::write | Right::execute};

TEST_CASE("a word says its frame and no more rights than were wanted") {
    for (const Rights allowed : kRights)
        for (const Rights wanted : kRights)
            for (const bool large : {false, true})
                for (const bool dirty : {false, true}) {
                    const u64 word = make_pte(FrameNumber{0x12345 << 9}, allowed, wanted, large, dirty);
                    CHECK(frame_in(word) == FrameNumber{0x12345 << 9});
                    CHECK((word & pte::kPresent) != 0);
                    CHECK((word & pte::kUser) != 0);
                    CHECK(((word & pte::kLarge) != 0) == large);
                    CHECK(((word & pte::kNoExecute) == 0) == wanted.has(Right::execute));
                    CHECK(((word & pte::kWritable) != 0) == wanted.has(Right::write));
                    // The hardware may write only where the libOS may, and only once it counts as dirty.
                    CHECK(((word & pte::kHardwareWrite) != 0) == (wanted.has(Right::write) && dirty));
                    if (word & pte::kHardwareWrite) CHECK((word & pte::kDirty) != 0);
                }
}

TEST_CASE("what was authorised is what the capability allowed") {
    for (const Rights allowed : kRights)
        for (const Rights bound : kRights)
            for (const Rights wanted : kRights) {
                const u64 word = make_pte(FrameNumber{1}, allowed, bound, false, false);
                CHECK(authorised(word, wanted) == allowed.has(wanted));
                const u64 changed = with_rights(word, wanted, false);
                CHECK(authorised(changed, bound) == allowed.has(bound));
                CHECK(frame_in(changed) == FrameNumber{1});
                CHECK(((changed & pte::kWritable) != 0) == wanted.has(Right::write));
                CHECK(((changed & pte::kNoExecute) == 0) == wanted.has(Right::execute));
            }
}

TEST_CASE("rights that go leave no trace, and what is known of the page stays") {
    u64 word = make_pte(FrameNumber{9}, kRights[3], kRights[3], false, true);
    word = with_rights(word, Right::read, false);
    CHECK((word & (pte::kWritable | pte::kHardwareWrite)) == 0);
    CHECK((word & pte::kDirty) != 0);
    CHECK((word & pte::kNoExecute) != 0);
    word = with_rights(word, kRights[1], false);
    CHECK((word & pte::kHardwareWrite) != 0);  // dirty before: no first write to notice
}

TEST_CASE("tags of both sizes") {
    CHECK(page_in(tag_of(PageNumber{12345}, false)) == PageNumber{12345});
    CHECK(page_in(tag_of(PageNumber{512 * 77}, true)) == PageNumber{512 * 77});
    CHECK(is_large(tag_of(PageNumber{0}, true)));
    CHECK_FALSE(is_large(tag_of(PageNumber{kUserPages - 1}, false)));
    CHECK(tag_of(PageNumber{512}, true) == tag_of(PageNumber{1023}, true));
}

TEST_CASE("the lists of bindings by frame, against a set for each") {
    for (u64 seed = 1; seed <= 10; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        World world(128, 16, 40);
        std::map<StlbEntry*, u64> linked;
        const auto frame_word = [&] {
            const bool large = random.one_in(4);
            return make_pte(FrameNumber{random.below(40)}, kRights[3], kRights[random.below(4)], large, random.one_in(2));
        };
        for (u64 step = 0; step < 4000; ++step) {
            StlbEntry& entry = world.stlb.entries[random.below(128 + 16)];
            if (random.one_in(3)) {
                world.map.unlink(entry);
                linked.erase(&entry);
                REQUIRE(entry.pte == 0);
            } else {
                world.map.unlink(entry);
                linked[&entry] = frame_word();
                world.map.link(entry, linked[&entry]);
            }
            if (step % 20 != 0) continue;
            std::map<std::pair<u64, bool>, std::set<StlbEntry*>> model;
            for (const auto& [one, word] : linked) model[{frame_in(word).value, (word & pte::kLarge) != 0}].insert(one);
            for (u64 frame = 0; frame < 40; ++frame)
                for (const bool large : {false, true}) {
                    std::set<StlbEntry*> found;
                    const u32 head = large ? world.infos[frame].large_bindings : world.infos[frame].bindings;
                    u32 before = 0;
                    for (u32 name = head; name != 0; name = world.map.entry(name)->next) {
                        REQUIRE(world.map.entry(name)->prev == before);
                        REQUIRE(found.insert(world.map.entry(name)).second);
                        before = name;
                    }
                    REQUIRE(found == model[{frame, large}]);
                }
        }
        for (auto& [entry, word] : linked) world.map.unlink(*entry);
        for (const FrameInfo& info : world.infos) CHECK((info.bindings == 0 && info.large_bindings == 0));
    }
}

TEST_CASE("unlinking what is not linked is nothing") {
    World world(128, 16, 4);
    world.map.unlink(world.stlb.entries[3]);
    world.map.link(world.stlb.entries[3], make_pte(FrameNumber{2}, Right::read, Right::read, false, false));
    world.map.unlink(world.stlb.entries[3]);
    world.map.unlink(world.stlb.entries[3]);
    CHECK(world.infos[2].bindings == 0);
}

/// Put a binding where place() says, as the kernel does.
bool bind(Stlb& stlb, u64 tag, bool guaranteed) {
    StlbEntry* entry = stlb.place(tag, guaranteed);
    if (entry == nullptr) return false;
    if (guaranteed && stlb.home(tag).tag == tag) stlb.home(tag).tag = kNoTag;
    entry->tag = tag;
    if (is_large(tag)) stlb.large = 1;
    return true;
}

TEST_CASE("where bindings stand: ordinary ones displace their like, guaranteed ones nobody") {
    for (u64 seed = 1; seed <= 10; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        World world(128, 32, 4);
        std::map<u64, u64> home;             // index -> tag
        std::map<u64, std::set<u64>> sets;   // set -> tags
        const auto is_guaranteed = [&](u64 tag) { return sets[tag & world.stlb.set_mask].count(tag) != 0; };
        for (u64 step = 0; step < 3000; ++step) {
            const bool large = random.one_in(5);
            const u64 tag = large ? tag_of(PageNumber{random.below(300) * 512}, true) : random.below(600);
            const bool wanted = random.one_in(6);
            std::set<u64>& set = sets[tag & world.stlb.set_mask];
            const bool fits = !wanted || set.count(tag) != 0 || set.size() < kWays;
            REQUIRE(bind(world.stlb, tag, wanted) == fits);
            if (fits && (wanted || set.count(tag) != 0)) {
                set.insert(tag);
                if (home[tag & world.stlb.mask] == tag + 1) home[tag & world.stlb.mask] = 0;
            } else if (fits) {
                home[tag & world.stlb.mask] = tag + 1;
            }
            if (random.one_in(40)) {  // drop a guaranteed one
                for (auto& [index, tags] : sets)
                    if (!tags.empty()) {
                        world.stlb.find_guaranteed(*tags.begin())->tag = kNoTag;
                        tags.erase(tags.begin());
                        break;
                    }
            }
            const u64 probe = random.one_in(5) ? tag_of(PageNumber{random.below(300) * 512}, true) : random.below(600);
            const bool there = is_guaranteed(probe) || home[probe & world.stlb.mask] == probe + 1;
            const StlbEntry* found = world.stlb.find_tag(probe);
            REQUIRE((found != nullptr) == there);
            if (there) REQUIRE(found->tag == probe);
            REQUIRE((world.stlb.find_guaranteed(probe) != nullptr) == is_guaranteed(probe));
        }
    }
}

TEST_CASE("a page is found by either size") {
    World world(128, 16, 4);
    REQUIRE(bind(world.stlb, tag_of(PageNumber{1024}, true), false));
    CHECK(world.stlb.find(PageNumber{1024 + 511}) != nullptr);
    CHECK(world.stlb.find(PageNumber{1024 + 512}) == nullptr);
    REQUIRE(bind(world.stlb, 1030, false));
    CHECK(world.stlb.find(PageNumber{1030})->tag == 1030);
}

TEST_CASE("the loop over neighbours meets each binding once, wherever it stands") {
    for (u64 seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        Random random(seed);
        World world(128, 64, 4);
        for (u64 i = 0; i < random.below(400); ++i) bind(world.stlb, random.below(300), random.one_in(5));
        for (u64 round = 0; round < 40; ++round) {
            const u64 first = random.below(300), count = random.below(random.one_in(4) ? 400 : 40);
            std::multiset<u64> wanted, met;
            u64 wanted_guaranteed = 0, met_guaranteed = 0;
            for (u64 tag = first; tag < first + count; ++tag) {
                if (world.stlb.find_tag(tag) == nullptr) continue;
                wanted.insert(tag);
                wanted_guaranteed += world.stlb.home(tag).tag != tag;
            }
            const u64 found = for_each_binding(
                world.stlb, first, count, [&](StlbEntry& entry) { met.insert(entry.tag); },
                [&](StlbEntry& entry) {
                    met.insert(entry.tag);
                    ++met_guaranteed;
                });
            REQUIRE(found == wanted.size());
            REQUIRE(met == wanted);
            REQUIRE(met_guaranteed == wanted_guaranteed);
        }
    }
}

TEST_CASE("the loop may drop what it meets") {
    World world(128, 16, 4);
    for (u64 tag = 0; tag < 100; ++tag) bind(world.stlb, tag, tag % 30 == 0);
    const auto drop = [](StlbEntry& entry) { entry.tag = kNoTag; };
    CHECK(for_each_binding(world.stlb, 10, 50, drop) == 50);
    CHECK(for_each_binding(world.stlb, 10, 50, drop) == 0);
    CHECK(for_each_binding(world.stlb, 0, 128, drop) == 50);
}

}  // namespace
}  // namespace tessera
