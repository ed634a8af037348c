// Which parts of a table may hold something, held against a table: a look never leaves out an entry that holds something.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "libos/vmm/monitor/touched_entries.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::vmm;
using tessera::test::Random;

TEST_CASE("touched entries: whatever holds something is looked at") {
    Random random{17};
    for (const u64 entries : {u64{128}, u64{1024}, u64{8192}, u64{65536}}) {
        TouchedEntries touched;
        touched.open(entries);
        std::vector<bool> table(entries);
        for (int round = 0; round < 300; ++round) {
            const u64 page = random.below(3) == 0 ? ~u64{0} >> 28 << 3 : random.below(u64{1} << 36), count = 1 + random.below(700);
            touched.note(page, count);
            for (u64 i = 0; i < count; ++i) table[(page + i) % entries] = random.below(4) != 0;
            if (random.below(3) != 0) continue;
            const u64 odd = random.below(2);  // every second one that is there goes, or all
            std::set<u64> seen;
            bool left = false;
            const bool some = touched.for_each([&](u64 i) {
                REQUIRE(i < entries);
                CHECK(seen.insert(i).second);
                const bool live = table[i];
                if (live && (odd == 0 || i % 2 == 1)) table[i] = false;
                left |= live;
                return live;
            });
            CHECK(some == left);
            for (u64 i = 0; i < entries; ++i)
                if (table[i]) REQUIRE(seen.contains(i));
        }
    }
}

TEST_CASE("touched entries: of pages, those are looked at in which they stand") {
    Random random{18};
    TouchedEntries touched;
    touched.open(8192);
    std::set<u64> noted;
    for (int i = 0; i < 200; ++i) {
        const u64 page = random.below(u64{1} << 36);
        touched.note(page, 1);
        noted.insert(page % 8192);
    }
    for (int round = 0; round < 300; ++round) {
        const u64 page = random.below(u64{1} << 36), count = 1 + random.below(random.below(2) == 0 ? 600 : 10000);
        std::set<u64> seen;
        touched.for_pages(page, count, [&](u64 i) { return seen.insert(i), noted.contains(i); });
        for (u64 i = 0; i < count && i < 8192; ++i)
            if (const u64 index = (page + i) % 8192; noted.contains(index)) REQUIRE(seen.contains(index));
        CHECK(seen.size() <= std::min<u64>(count + 16, 8192));
    }
}

TEST_CASE("touched entries: what was found empty is not looked at again") {
    TouchedEntries touched;
    touched.open(8192);
    u64 looks = 0;
    const auto empty = [&](u64) { return ++looks, false; };
    CHECK_FALSE(touched.for_each(empty));
    CHECK(looks == 0);
    touched.note(8191, 2);  // round its end
    CHECK_FALSE(touched.for_each(empty));
    CHECK(looks == 16);
    CHECK_FALSE(touched.for_each(empty));
    CHECK(looks == 16);
}
