// Both page tables against the obvious model: the same answers to a long run of random operations.
#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "libos/paging/hierarchical_table.hpp"
#include "libos/paging/inverted_table.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::libos;
using tessera::test::Random;

namespace {

/// Some pages near each other, some far apart, some at the very ends.
PageNumber random_page(Random& random) {
    switch (random.below(4)) {
        case 0:
            return {random.below(64)};
        case 1:
            return {kUserPages - 1 - random.below(8)};
        case 2:
            return {random.below(8) << 9 * random.between(1, 3)};
        default:
            return {0x400 + random.below(512)};
    }
}

Entry random_entry(Random& random) {
    return Entry::make(FrameNumber{random.below(u64{1} << 40)}, random.below(Entry::kSources), Right::read);
}

template <PageTable Table>
void compare_with_map(Table& table, u64 seed) {
    std::map<u64, Entry> model;
    Random random(seed);
    for (u64 step = 0; step < 60'000; ++step) {
        const PageNumber page = random_page(random);
        // Waves: mostly inserting, then mostly erasing, so that it gets full and empty.
        const bool grows = step / 2000 % 2 == 0;
        if (random.below(4) == 0) {
            const auto expected = model.find(page.value);
            REQUIRE(table.find(page) == (expected != model.end() ? expected->second : Entry{}));
        } else if (random.below(5) == 0 ? !grows : grows) {
            const Entry entry = random_entry(random);
            if (table.insert(page, entry))
                model[page.value] = entry;
            else
                REQUIRE(!model.contains(page.value));
        } else {
            REQUIRE(table.erase(page) == (model.erase(page.value) == 1));
        }
        REQUIRE(table.size() == model.size());
    }
    for (const auto& [page, entry] : model) REQUIRE(table.find(PageNumber{page}) == entry);
}

}  // namespace

TEST_CASE("libos: an entry keeps what it is made of") {
    const Entry entry = Entry::make(FrameNumber{0xff'ffff'ffff}, 31, Right::read | Right::write, Entry::kDirty);
    CHECK(entry.frame().value == 0xff'ffff'ffff);
    CHECK(entry.source() == 31);
    CHECK(entry.rights() == (Right::read | Right::write));
    CHECK(entry.has(Entry::kResident | Entry::kDirty));
    CHECK_FALSE(entry.has(Entry::kStored));
}

TEST_CASE("libos: an entry allows what its rights do, and nothing when the page is not resident") {
    constexpr auto kWrite = static_cast<u64>(AccessKind::write), kFetch = static_cast<u64>(AccessKind::fetch);
    constexpr auto kUser = static_cast<u64>(AccessKind::user) | static_cast<u64>(AccessKind::present);
    constexpr u64 kOthers = u64{1} << 63 | u64{1} << 15;
    for (u64 more : {u64{0}, kUser, kOthers | kUser}) {
        const auto allowed = [more](Entry entry) {
            return std::array{entry.allows(more), entry.allows(kWrite | more), entry.allows(kFetch | more)};
        };
        CHECK(allowed(Entry::make(FrameNumber{1}, 0, Right::read)) == std::array{true, false, false});
        CHECK(allowed(Entry::make(FrameNumber{1}, 0, Right::read | Right::write)) == std::array{true, true, false});
        CHECK(allowed(Entry::make(FrameNumber{1}, 0, Right::read | Right::execute)) == std::array{true, false, true});
        CHECK(allowed(Entry{Entry::kStored}) == std::array{false, false, false});
        CHECK(allowed(Entry{}) == std::array{false, false, false});
    }
}

TEST_CASE("libos: the hierarchical table does what a map does, with room and without") {
    for (u64 nodes : {256u, 12u, 4u}) {
        std::vector<HierarchicalTable::Node> memory(nodes);
        std::vector<u16> used(nodes);
        HierarchicalTable table(memory, used);
        compare_with_map(table, 1 + nodes);
    }
}

TEST_CASE("libos: the hierarchical table gives its nodes back") {
    std::vector<HierarchicalTable::Node> memory(4);
    std::vector<u16> used(4);
    HierarchicalTable table(memory, used);
    const Entry entry = Entry::make(FrameNumber{1}, 0, Right::read);
    // Three nodes below the root: room for one path only.
    for (u64 round = 0; round < 100; ++round) {
        REQUIRE(table.insert(PageNumber{round << 27}, entry));
        CHECK_FALSE(table.insert(PageNumber{(round + 1) << 27}, entry));
        CHECK(table.find(PageNumber{(round + 1) << 27}) == Entry{});
        REQUIRE(table.erase(PageNumber{round << 27}));
    }
}

TEST_CASE("libos: the inverted table does what a map does, with room and without") {
    for (u64 slots : {2048u, 64u, 8u, 2u}) {
        std::vector<InvertedTable::Slot> memory(slots);
        InvertedTable table(memory);
        compare_with_map(table, 100 + slots);
    }
}

TEST_CASE("libos: tables refuse what is no page and no entry") {
    std::vector<HierarchicalTable::Node> memory(8);
    std::vector<u16> used(8);
    HierarchicalTable tree(memory, used);
    std::vector<InvertedTable::Slot> slots(8);
    InvertedTable hashed(slots);
    const Entry entry = Entry::make(FrameNumber{1}, 0, Right::read);
    for (PageNumber page : {PageNumber{kUserPages}, PageNumber{~u64{0}}}) {
        CHECK_FALSE(tree.insert(page, entry));
        CHECK_FALSE(hashed.insert(page, entry));
        CHECK(tree.find(page) == Entry{});
        CHECK(hashed.find(page) == Entry{});
        CHECK_FALSE(tree.erase(page));
        CHECK_FALSE(hashed.erase(page));
    }
    CHECK_FALSE(tree.insert(PageNumber{1}, Entry{}));
    CHECK_FALSE(hashed.insert(PageNumber{1}, Entry{}));
}
