// The pure parts of memory management across guests, against models: hints, shared frames and their users, victims, slots,
// balloon targets.
#include <doctest/doctest.h>

#include <map>
#include <set>
#include <vector>

#include "libos/vmm/memory/balloon_target.hpp"
#include "libos/vmm/memory/hash.hpp"
#include "libos/vmm/memory/hints.hpp"
#include "libos/vmm/memory/page_slots.hpp"
#include "libos/vmm/memory/shared_frames.hpp"
#include "libos/vmm/memory/victims.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

TEST_CASE("vmm sharing: the hash of a page sees every bit of it, and the seed") {
    Random random(1);
    std::vector<u64> page(kPageWords);
    for (u64& word : page) word = random.next();
    const u64 hash = hash_of(page.data(), 5);
    CHECK(hash_of(page.data(), 6) != hash);
    for (u64 i = 0; i < 2000; ++i) {
        const u64 word = random.below(kPageWords), bit = u64{1} << random.below(64);
        page[word] ^= bit;
        CHECK(hash_of(page.data(), 5) != hash);
        page[word] ^= bit;
    }
    CHECK(hash_of(page.data(), 5) == hash);
    CHECK_FALSE(is_zero(page.data()));
    std::ranges::fill(page, 0);
    CHECK(is_zero(page.data()));
    page.back() = 1;
    CHECK_FALSE(is_zero(page.data()));
}

TEST_CASE("vmm sharing: a hint is what was noted last, or nothing; the last few of a set are there") {
    Random random(2);
    constexpr u64 kPlaces = 64, kSets = kPlaces / Hints::kWays;
    std::vector<u64> places(kPlaces);
    Hints hints(places);
    std::map<u64, PageOf> model;  // by hash: noted last
    u64 found_count = 0;
    for (u32 i = 0; i < 20000; ++i) {
        const u64 number = random.below(100), hash = number << 32 | number % kSets;
        const auto found = hints.find(hash);
        if (found) {
            ++found_count;
            REQUIRE(model.contains(hash));
            REQUIRE(*found == model.at(hash));
        }
        const PageOf page{random.below(Hints::kMostGuests), random.below(Hints::kMostFrames)};
        switch (random.below(6)) {
        case 0:
            hints.forget(hash);
            model.erase(hash);
            REQUIRE_FALSE(hints.find(hash));
            break;
        case 1:
        case 2:
            hints.note(hash, page);
            model[hash] = page;
            REQUIRE(hints.find(hash) == page);
            break;
        default: break;
        }
    }
    CHECK(found_count > 5000);
    // As many as a set has places: none is lost.
    std::ranges::fill(places, 0);
    for (u64 i = 1; i <= Hints::kWays; ++i) hints.note(i << 32 | 3, {i, i});
    for (u64 i = 1; i <= Hints::kWays; ++i) CHECK(hints.find(i << 32 | 3) == PageOf{i, i});
    // Two that fall together with others, always in the same order, are found in the end.
    u64 met = 0;
    for (u64 i = 0; i < 200; ++i)
        for (u64 each = 1; each <= 8; ++each) {
            const auto other = hints.find(each << 32 | 5);
            met |= u64{other && other->guest != i % 2} << each;
            hints.note(each << 32 | 5, {i % 2, each});
        }
    CHECK(met == 0b1'1111'1110);
    hints.note(~u64{0}, {Hints::kMostGuests - 1, Hints::kMostFrames - 1});
    CHECK(hints.find(~u64{0}) == PageOf{Hints::kMostGuests - 1, Hints::kMostFrames - 1});
}

TEST_CASE("vmm sharing: shared frames are found by hash and by what they are, and leave with their last user") {
    struct Model {
        u64 hash, users;
    };
    Random random(3);
    constexpr u64 kMost = 40;
    std::vector<SharedFrames::Entry> entries(kMost);
    std::vector<u32> heads(16);
    SharedFrames table(entries, heads);
    // By number and run: a number may come again, of another run, before nobody stands on what it was.
    std::map<u64, Model> model;
    const auto name_of = [](SuppliedFrame frame) { return frame.number.value << 1 | frame.run; };
    u64 users = 0;
    for (u32 i = 0; i < 50000; ++i) {
        const SuppliedFrame frame{FrameNumber{1000 + random.below(40)}, random.below(2)};
        const u64 name = name_of(frame), hash = random.below(12);
        SharedFrames::Entry* const entry = table.find(frame);
        REQUIRE((entry != nullptr) == model.contains(name));
        switch (random.below(3)) {
        case 0:
            if (entry != nullptr) break;
            if (SharedFrames::Entry* const made = table.insert(hash, frame)) {
                model[name] = {hash, 0};
                REQUIRE(made->users == 0);
            } else {
                REQUIRE(model.size() == kMost);
            }
            break;
        case 1:
            if (entry == nullptr) break;
            table.add_user(*entry);
            ++model[name].users, ++users;
            break;
        default: {
            const auto free = table.drop_user(frame);
            const auto known = model.find(name);
            const bool last = known != model.end() && known->second.users <= 1;
            REQUIRE(free.has_value() == last);
            if (known == model.end()) break;
            if (known->second.users != 0) --known->second.users, --users;
            if (!last) break;
            REQUIRE(*free == frame);
            model.erase(known);
        }
        }
        REQUIRE(table.frames() == model.size());
        REQUIRE(table.users() == users);
        std::set<u64> with_hash;
        for (SharedFrames::Entry* each = table.first(hash); each != nullptr; each = table.next(*each)) {
            REQUIRE(each->hash == hash);
            REQUIRE(with_hash.insert(name_of(each->frame)).second);
            REQUIRE(each->users == model.at(name_of(each->frame)).users);
        }
        u64 expected = 0;
        for (const auto& [_, each] : model) expected += each.hash == hash;
        REQUIRE(with_hash.size() == expected);
    }
}

TEST_CASE("vmm sharing: victims fit, and every one that fits has its turn") {
    libos::RandomNumbers random(4);
    CHECK_FALSE(choose_victim(0, random, [](u64) { return true; }));
    CHECK_FALSE(choose_victim(100, random, [](u64) { return false; }));
    CHECK(choose_victim(100000, random, [](u64 at) { return at == 77777; }) == 77777);
    std::map<u64, u64> times;
    constexpr u64 kCount = 50, kRounds = 20000;
    for (u64 i = 0; i < kRounds; ++i) {
        const auto at = choose_victim(kCount, random, [](u64 each) { return each % 5 == 0; });
        REQUIRE(at);
        REQUIRE(*at % 5 == 0);
        ++times[*at];
    }
    REQUIRE(times.size() == kCount / 5);
    for (const auto& [_, count] : times) {
        CHECK(count > kRounds / 10 / 2);
        CHECK(count < kRounds / 10 * 2);
    }
}

TEST_CASE("vmm sharing: slots of a store are handed out once") {
    Random random(5);
    std::vector<u32> links(30);
    PageSlots slots(links);
    std::set<u64> taken;
    for (u32 i = 0; i < 20000; ++i) {
        if (random.one_in(2)) {
            const auto slot = slots.take();
            REQUIRE(slot.has_value() == (taken.size() < links.size()));
            if (slot) REQUIRE((*slot < links.size() && taken.insert(*slot).second));
        } else if (!taken.empty()) {
            const auto any = std::next(taken.begin(), static_cast<long>(random.below(taken.size())));
            slots.give_back(*any);
            taken.erase(any);
        }
        REQUIRE(slots.taken() == taken.size());
    }
}

TEST_CASE("vmm sharing: balloons are asked for what is missing, once, and never for what a guest is to keep") {
    Random random(6);
    for (u32 round = 0; round < 5000; ++round) {
        std::vector<Balloon> balloons(1 + random.below(6));
        for (Balloon& each : balloons) {
            each.frames = 1000 + random.below(20000);
            each.actual = random.below(each.frames);
            each.own = random.below(each.frames - each.actual + 1);
            each.target = random.below(each.frames);
        }
        const std::vector<Balloon> before = balloons;
        const u64 missing = random.below(30000), kept = random.below(101);
        const auto coming = [&](const std::vector<Balloon>& all) {
            u64 sum = 0;
            for (const Balloon& each : all) sum += each.coming();
            return sum;
        };
        const u64 asked = inflate(balloons, missing, kept);
        if (coming(before) >= missing) REQUIRE(asked == 0);
        REQUIRE(asked <= missing);
        u64 sum = 0;
        for (u64 i = 0; i < balloons.size(); ++i) {
            if (balloons[i].target == before[i].target) continue;
            REQUIRE(balloons[i].target <= balloons[i].most(kept));
            const u64 base = std::min(std::max(before[i].target, before[i].actual), balloons[i].most(kept));
            sum += balloons[i].target - base;
        }
        REQUIRE(sum == asked);

        std::vector<Balloon> smaller = balloons;
        u64 all = 0, left = 0;
        for (const Balloon& each : balloons) all += each.target;
        const u64 wanted = random.below(3000), lowered = deflate(smaller, wanted);
        for (const Balloon& each : smaller) left += each.target;
        REQUIRE(left == all - lowered);
        REQUIRE(lowered <= wanted);
        if (all >= wanted) REQUIRE(lowered == wanted);
    }
    // Guests that can give all give all; by how much they have.
    std::vector<Balloon> two{{1000, 1000, 0, 0, 0}, {1000, 500, 0, 0, 500}};
    CHECK(inflate(two, 300, 25) == 300);
    CHECK(two[0].target == 200);
    CHECK(two[1].target == 100);
    CHECK(inflate(two, 300, 25) == 0);
    // What was never there is taken out of sight: as far as a guest is to keep something, and never less than was asked already.
    std::vector<Balloon> three{{1000, 200, 100, 100, 400}, {1000, 0, 0, 0, 1000}, {1000, 300, 600, 700, 50}};
    withdraw(three, 25);
    CHECK(three[0].target == 500);
    CHECK(three[1].target == 750);
    CHECK(three[2].target == 700);
}
