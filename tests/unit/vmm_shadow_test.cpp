// Shadow paging against a model of what a CPU may do: tests/unit/vmm_shadow_world.hpp; and the cases by name.
#include <doctest/doctest.h>

#include "tests/unit/vmm_shadow_world.hpp"

namespace tessera {
namespace {

using namespace test;

constexpr u64 kTable = entry::kPresent | entry::kWrite | entry::kUser;

/// Root 0 maps pages 0 to 511 by tables 0, 3, 4, 5, root 1 by 1, 3, 4, 5: all but the top is shared.
void two_processes(ShadowWorld& world) {
    world.edit(0, 0, 3 << kPageShift | kTable);
    world.edit(1, 0, 3 << kPageShift | kTable);
    world.edit(3, 0, 4 << kPageShift | kTable);
    world.edit(4, 0, 5 << kPageShift | kTable);
    for (u64 i = 0; i < 8; ++i) world.edit(5, i, (24 + i) << kPageShift | kTable | entry::kAccessed | entry::kDirty);
    world.load(0, true, true);
}

TEST_CASE("random guests get what a CPU could give them") {
    for (const u64 places : {kLeastTables, u64{32}})
        for (const u32 roots : {1u, 2u, 8u})
            for (const u32 around : {1u, 16u})
                for (u64 seed = 1; seed <= 12; ++seed) {
                    CAPTURE(places);
                    CAPTURE(roots);
                    CAPTURE(around);
                    CAPTURE(seed);
                    ShadowWorld world(places, {roots, around});
                    const u64 tables = seed % 3 ? ShadowWorld::kTables : 4;
                    if (seed % 2) two_processes(world);
                    Random random(seed);
                    std::string wrong;
                    for (u64 i = 0; i < 1500 && wrong.empty(); ++i) {
                        wrong = random_step(world, random, tables);
                        if (!wrong.empty()) wrong += " at step " + std::to_string(i);
                    }
                    REQUIRE(wrong == "");
                }
}

TEST_CASE("a write to a table traps once until the next flush") {
    ShadowWorld world(32, {});
    two_processes(world);
    CHECK(world.touch(0, {.user = true}).frame == 24);
    CHECK(world.shadow.is_protected(5));
    const u64 before = world.shadow.counts().table_writes;
    for (u64 i = 0; i < 8; ++i) world.edit(5, i, 0);
    CHECK(world.shadow.counts().table_writes == before + 1);
    CHECK_FALSE(world.shadow.is_protected(5));
    world.load(0, true, true);
    CHECK(world.shadow.is_protected(5));
    CHECK(world.touch(0, {.user = true}).kind == test::Outcome::fault);
}

TEST_CASE("a cached root keeps what was bound, and forgets what changed") {
    ShadowWorld world(32, {});
    two_processes(world);
    world.touch(0, {.user = true});
    world.load(1, true, true);
    world.touch(0, {.user = true});
    world.load(0, true, true);
    const u64 faults = world.shadow.counts().faults;
    CHECK(world.touch(0, {.user = true}).frame == 24);
    CHECK(world.shadow.counts().faults == faults);
    // A table that both use, changed under one of them, counts for both.
    world.edit(5, 0, 30 << kPageShift | kTable | entry::kAccessed);
    world.load(1, true, true);
    CHECK(world.touch(0, {.user = true}).frame == 30);
    world.load(0, true, true);
    CHECK(world.touch(0, {.user = true}).frame == 30);
    CHECK(world.touch(0x1000, {.user = true}).frame == 25);
}

TEST_CASE("what the emulator knows of a page outlives flushes that change nothing, and no other") {
    ShadowWorld world(32, {});
    two_processes(world);
    CHECK(world.look(0, {.user = true}).frame == 24);
    const u64 blind = world.shadow.changes();
    CHECK(world.touch(0, {.user = true}).frame == 24);  // from here on its tables are traced
    CHECK(world.look(1, {.user = true}).frame == 25);
    world.load(1, true, true);
    CHECK(world.look(1, {.user = true}).frame == 25);
    world.load(0, true, true);
    CHECK(world.shadow.changes() != blind);  // another root was made
    // The table says another thing, behind the emulator's back, and it is told by the next flush.
    const u64 before = world.shadow.changes();
    CHECK(world.look(1, {.user = true}).frame == 25);
    world.load(1, true, true);
    world.load(0, true, true);
    CHECK(world.shadow.changes() == before);
    world.edit(5, 1, 27 << kPageShift | kTable | entry::kAccessed);
    CHECK(world.look(1, {.user = true}).frame == 25);
    world.load(0, true, true);
    CHECK(world.look(1, {.user = true}).frame == 27);
    // And by INVLPG; dirty is noted anew when the guest has taken it back.
    CHECK(world.look(1, {.write = true, .user = true}).frame == 27);
    world.edit(5, 1, 27 << kPageShift | kTable | entry::kAccessed);
    world.invalidate(1);
    CHECK(world.look(1, {.write = true, .user = true}).frame == 27);
    CHECK((world.memory.word(5, 1) & entry::kDirty) != 0);
}

TEST_CASE("INVLPG makes one page new and leaves the table to be written") {
    ShadowWorld world(32, {.around = 1});
    two_processes(world);
    world.touch(0, {.user = true});
    world.touch(0x1000, {.user = true});
    world.edit(5, 0, 30 << kPageShift | kTable);
    world.edit(5, 1, 31 << kPageShift | kTable);
    CHECK(world.touch(0, {.user = true}).frame == 24);
    world.invalidate(0);
    CHECK(world.touch(0, {.user = true}).frame == 30);
    CHECK(world.touch(0x1000, {.user = true}).frame == 25);
    const u64 traps = world.shadow.counts().table_writes;
    world.edit(5, 1, 0);
    CHECK(world.shadow.counts().table_writes == traps);
}

TEST_CASE("a kernel without CR0.WP writes read-only pages, and ring 3 does not through that") {
    ShadowWorld world(32, {});
    two_processes(world);
    world.edit(5, 0, 24 << kPageShift | entry::kPresent | entry::kUser);
    world.load(0, false, true);
    CHECK(world.touch(0, {.write = true}).frame == 24);
    CHECK(world.touch(0, {.write = true, .user = true}).code == 7);
    CHECK(world.touch(0, {.user = true}).frame == 24);
    world.load(0, true, true);
    CHECK(world.touch(0, {.write = true}).code == 3);
}

TEST_CASE("accessed and dirty are noted when they become so") {
    ShadowWorld world(32, {.around = 1});
    two_processes(world);
    world.edit(5, 0, 24 << kPageShift | kTable);
    world.load(0, true, true);
    world.touch(0, {});
    CHECK((world.memory.word(5, 0) & (entry::kAccessed | entry::kDirty)) == entry::kAccessed);
    world.touch(0, {.write = true});
    CHECK((world.memory.word(5, 0) & entry::kDirty) != 0);
    // A guest that cleans its pages sees them dirty again.
    world.edit(5, 0, 24 << kPageShift | kTable);
    world.invalidate(0);
    world.touch(0, {.write = true});
    CHECK((world.memory.word(5, 0) & entry::kDirty) != 0);
}

TEST_CASE("neighbours come along if they were used, and only those") {
    ShadowWorld world(32, {});
    two_processes(world);
    world.edit(5, 3, 27 << kPageShift | kTable);                                          // never used
    world.edit(5, 1, 25 << kPageShift | kTable | entry::kAccessed);                       // never written
    world.edit(5, 2, 30 << kPageShift | kTable | entry::kAccessed | entry::kDirty);       // elsewhere
    world.load(0, true, true);
    world.touch(0, {});
    CHECK(world.bindings[world.current].contains(0));
    CHECK_FALSE(world.bindings[world.current].contains(1));
    CHECK_FALSE(world.bindings[world.current].contains(2));
    world.touch(0x4000, {.write = true});
    CHECK_FALSE(world.bindings[world.current].contains(3));
    CHECK(world.bindings[world.current].contains(7));
}

TEST_CASE("a page with many writers is looked for when it becomes a table") {
    ShadowWorld world(32, {.around = 1});
    two_processes(world);
    for (u64 i = 0; i < 8; ++i) world.edit(5, i, 24 << kPageShift | kTable);
    world.load(0, true, true);
    for (u64 i = 0; i < 8; ++i) world.touch(i << kPageShift, {.write = true});
    CHECK(world.shadow.counts().searches == 0);
    world.edit(0, 1, 24 << kPageShift | kTable);
    world.touch(u64{1} << 39, {});
    world.shadow.protect(24);
    world.edit(24, 0, 3 << kPageShift | kTable);
    world.touch(u64{1} << 39, {});
    CHECK(world.invariant() == "");
    CHECK(world.shadow.counts().searches >= 1);
}

TEST_CASE("who watches a frame is told before it is written, once") {
    struct Watcher final : FrameWatcher {
        std::vector<u64> told;
        void on_write(u64 frame) override { told.push_back(frame); }
    } watcher;
    ShadowWorld world(32, {});
    two_processes(world);
    world.shadow.set_watcher(watcher);
    world.touch(0x1000, {.write = true});
    world.shadow.watch(25);
    CHECK_FALSE(world.bindings[world.current].contains(1));
    // Reading it, and writing its neighbours, does not count.
    world.touch(0x1000, {});
    world.touch(0x2000, {.write = true});
    CHECK(watcher.told.empty());
    world.touch(0x1000, {.write = true});
    world.touch(0x1008, {.write = true});
    CHECK(watcher.told == std::vector<u64>{25});
    world.shadow.watch(26);
    world.shadow.written(26);
    CHECK(watcher.told == std::vector<u64>{25, 26});
}

TEST_CASE("without paging an address is its own translation") {
    ShadowWorld world(32, {});
    world.current = world.shadow.load({});
    CHECK(world.touch(0x5000, {.write = true}).frame == 5);
    CHECK(world.touch(u64{1} << 30, {}).kind == test::Outcome::nowhere);
}

TEST_CASE("a frame that is lost takes what its table said with it") {
    ShadowWorld world(32, {});
    two_processes(world);
    world.touch(0, {.user = true});
    world.shadow.lose(5);
    CHECK(world.bindings[world.current].find(0) == world.bindings[world.current].end());
    CHECK_FALSE(world.shadow.is_protected(5));
    CHECK(world.touch(0, {.user = true}).frame == 24);
    CHECK(world.shadow.is_protected(5));
}

TEST_CASE("a table with more uses than are noted forgets the oldest one") {
    ShadowWorld world(32, {.around = 1});
    two_processes(world);
    for (u64 i = 0; i < 8; ++i) world.edit(4, i, 5 << kPageShift | kTable);
    world.load(0, true, true);
    for (u64 i = 0; i < 8; ++i) CHECK(world.touch(i << 21, {.user = true}).frame == 24);
    world.edit(5, 0, 30 << kPageShift | kTable);
    world.load(0, true, true);
    for (u64 i = 0; i < 8; ++i) CHECK(world.touch(i << 21, {.user = true}).frame == 30);
}

TEST_CASE("a table that is all four levels at once is noted as all of them, whatever it was before") {
    ShadowWorld world(32, {.around = 1});
    // From root 1 it is the last table in three places, then from root 0 it is all four.
    world.memory.word(1, 0) = 6 << kPageShift | kTable;
    world.memory.word(6, 0) = 7 << kPageShift | kTable;
    for (u64 i = 0; i < 3; ++i) world.memory.word(7, i) = 0 << kPageShift | kTable;
    world.memory.word(0, 0) = 0 << kPageShift | kTable;
    world.memory.word(0, 1) = 6 << kPageShift | kTable;
    world.load(1, true, true);
    for (u64 i = 0; i < 3; ++i) CHECK(world.touch(i << 21, {}).frame == 0);
    world.load(0, true, true);
    CHECK(world.touch(0x1000, {}).frame == 6);
    world.memory.word(0, 0) = 0;
    world.shadow.written(0);
    world.load(0, true, true);
    CHECK(world.touch(0x1000, {}).kind == test::Outcome::fault);
}

TEST_CASE("a neighbour that was bound while the table was out of sync is known to have been") {
    ShadowWorld world(32, {});
    two_processes(world);
    world.touch(0, {});
    const u64 old = world.memory.word(5, 1);
    world.edit(5, 0, 0);
    world.edit(5, 2, 30 << kPageShift | kTable | entry::kAccessed | entry::kDirty);
    world.edit(5, 1, 29 << kPageShift | kTable | entry::kAccessed | entry::kDirty);
    world.forget(world.current, PageNumber{1}, 2);
    CHECK(world.touch(0x2000, {}).frame == 30);
    CHECK(world.bindings[world.current].at(1).frame == 29);
    world.edit(5, 1, old);
    world.load(0, true, true);
    CHECK(world.touch(0x1000, {}).frame == 25);
}

TEST_CASE("what is written and never walked again is no table any more") {
    ShadowWorld world(32, {});
    two_processes(world);
    world.touch(0, {.user = true});
    u64 rounds = 0;
    for (; rounds < 20 && (rounds == 0 || world.shadow.counts().released == 0); ++rounds) {
        world.edit(5, 100, rounds);
        world.load(1, true, true);
        world.load(0, true, true);
    }
    CHECK(rounds < 20);
    CHECK_FALSE(world.shadow.is_protected(5));
}

TEST_CASE("a table that cannot be compared just then is lost, also to the walk that goes through it") {
    constexpr u64 kRoot = 0, kFirst = 3, kOnes = 40, kData = kFirst + kOnes, kPlaces = 64, kPage = 20;
    struct Holey final : GuestMemory {
        Holey() : GuestMemory(64), words(64 * kEntries) {}
        std::byte* page(u64 frame, bool) override {
            if (frame != absent) return reinterpret_cast<std::byte*>(&words[frame * kEntries]);
            absent = ~u64{0};
            ++refused;
            return nullptr;
        }
        u64& word(u64 frame, u64 index) { return words[frame * kEntries + index]; }
        std::vector<u64> words;
        u64 absent = ~u64{0}, refused = 0;
    } memory;
    // There is no memory for the table when it has been protected and is to be read; a moment later there is.
    struct Hardware final : ShadowHardware {
        explicit Hardware(Holey& memory) : memory(memory) {}
        void forget(u32, PageNumber page, u64) override {
            if (page.value == kPage) memory.absent = kFirst;
        }
        void forget_root(u32) override {}
        void forget_frame(u64) override {}
        Holey& memory;
    } hardware(memory);
    constexpr u64 kTable = 3, kMapped = 3 | entry::kAccessed | entry::kDirty;
    memory.word(kRoot, 0) = 1 << kPageShift | kTable;
    memory.word(1, 0) = 2 << kPageShift | kTable;
    for (u64 i = 0; i < kOnes; ++i) {
        memory.word(2, i) = (kFirst + i) << kPageShift | kTable;
        memory.word(kFirst + i, 0) = kData << kPageShift | kMapped;
        memory.word(kFirst, kPage + i) = (kFirst + i) << kPageShift | kMapped;
    }
    std::vector<FrameRecord> records(64);
    std::vector<TracedTable> tables(kPlaces);
    std::vector<TableCopy> copies(kPlaces);
    Shadow shadow(memory, hardware, records, {tables, copies}, {.roots = 2, .around = 16});
    shadow.load({.root = kRoot, .paging = true, .write_protect = true});
    for (u64 i = 0; i < kOnes; ++i) CHECK(shadow.fault(i * kEntries << kPageShift, {}).verdict == ShadowVerdict::bind);
    // Each is written through the first of them, until there are so many out of sync that the oldest, the first, is compared.
    u64 written = 0;
    while (written < kOnes && memory.refused == 0)
        CHECK(shadow.fault((kPage + written++) << kPageShift, {.write = true}).verdict == ShadowVerdict::bind);
    CHECK(memory.refused == 1);
    CHECK(written > 1);
    CHECK(shadow.fault(kPage << kPageShift, {}).verdict == ShadowVerdict::bind);
    CHECK(shadow.is_protected(kFirst));
}

}  // namespace
}  // namespace tessera
