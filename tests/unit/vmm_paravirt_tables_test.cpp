// A paravirtual guest's page tables: what is accepted, and that the counts are always those that a look at all tables gives.
#include <doctest/doctest.h>

#include <map>

#include "tests/unit/random.hpp"
#include "tests/unit/vmm_paravirt.hpp"

using namespace tessera;
using namespace tessera::vmm::paravirt;
using tessera::test::NotedEffects;
using tessera::test::PlainMemory;
using tessera::test::Random;

namespace {

constexpr u64 kFrames = 24;
constexpr u64 kP = 1, kW = 2, kU = 4;

struct Fixture {
    PlainMemory memory{kFrames};
    NotedEffects effects;
    std::vector<PageTables::FrameUse> uses = std::vector<PageTables::FrameUse>(kFrames);
    PageTables tables{memory, effects, uses};

    bool set(u64 table, u64 index, u64 value) { return tables.update({table * kPageSize + index * 8, value}); }
    static u64 to(u64 frame, u64 bits = kP | kW | kU) { return frame << kPageShift | bits; }
    /// Tables 1 to 4 translate `slot` << 39 to what entry 0 of frame 4 says.
    void build(u64 slot = 32) {
        REQUIRE(tables.create_root(1));
        REQUIRE(set(1, slot, to(2)));
        REQUIRE(set(2, 0, to(3)));
        REQUIRE(set(3, 0, to(4)));
    }
};

/// Levels and uses, from the roots and what the tables say: what must be known of every frame.
struct Model {
    std::vector<u32> level = std::vector<u32>(kFrames), uses = std::vector<u32>(kFrames);

    Model(Fixture& from, const std::set<u64>& roots) {
        for (const u64 root : roots) {
            level[root] = 4, uses[root] = 1;
            visit(from, root, 4);
        }
    }
    void visit(Fixture& from, u64 frame, u32 at) {
        for (u64 i = 0; i < 512; ++i) {
            const u64 entry = from.memory.words(frame)[i];
            if (!(entry & kP)) continue;
            const u64 next = entry >> kPageShift & 0xff'ffff'ffff;
            REQUIRE(next < kFrames);
            if (at == 1) {
                uses[next] += (entry & kW) != 0;
                continue;
            }
            REQUIRE((level[next] == 0 || level[next] == at - 1));
            const bool first = level[next] == 0;
            level[next] = at - 1;
            ++uses[next];
            if (first) visit(from, next, at - 1);
        }
    }
};

void check_against_model(Fixture& fixture, const std::set<u64>& roots) {
    const Model model(fixture, roots);
    std::set<u64> tables;
    for (u64 frame = 0; frame < kFrames; ++frame) {
        REQUIRE(u32{fixture.uses[frame].level} == model.level[frame]);
        // Being writable and being a table exclude each other, so one count does for both.
        REQUIRE(u32{fixture.uses[frame].uses} == model.uses[frame]);
        if (model.level[frame] != 0) tables.insert(frame);
    }
    REQUIRE(fixture.effects.tables == tables);
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "paravirt tables: a page is mapped, changed and unmapped") {
    build();
    CHECK(set(4, 5, to(9)));
    REQUIRE(effects.changed == std::vector{std::pair<u64, u64>{1, u64{32} << 39 | 5 << 12}});
    effects.changed.clear();
    Translation translation;
    REQUIRE(tables.walk(1, (u64{32} << 39) + 5 * kPageSize + 123, translation));
    CHECK(translation.frame == 9);
    CHECK((translation.writable && translation.user && translation.executable));
    CHECK(set(4, 5, to(10, kP | kU | u64{1} << 63)));
    REQUIRE(effects.changed == std::vector{std::pair<u64, u64>{1, u64{32} << 39 | 5 << 12}});
    REQUIRE(tables.walk(1, (u64{32} << 39) + 5 * kPageSize, translation));
    CHECK(translation.frame == 10);
    CHECK((!translation.writable && translation.user && !translation.executable));
    CHECK(set(4, 5, 0));
    CHECK_FALSE(tables.walk(1, (u64{32} << 39) + 5 * kPageSize, translation));
    CHECK_FALSE(tables.walk(1, 0, translation));
    CHECK_FALSE(tables.walk(2, u64{32} << 39, translation));
    check_against_model(*this, {1});
}

TEST_CASE_FIXTURE(Fixture, "paravirt tables: rights are those of the strictest level") {
    build();
    REQUIRE(set(4, 0, to(9)));
    Translation translation;
    REQUIRE(set(2, 0, to(3, kP | kU)));
    CHECK(effects.tables_changed_count == 1);
    REQUIRE(tables.walk(1, u64{32} << 39, translation));
    CHECK((!translation.writable && translation.user));
    REQUIRE(set(1, 32, to(2, kP | kW)));
    REQUIRE(tables.walk(1, u64{32} << 39, translation));
    CHECK((!translation.writable && !translation.user));
}

TEST_CASE_FIXTURE(Fixture, "paravirt tables: what is refused") {
    build();
    REQUIRE(set(4, 0, to(9)));
    CHECK_FALSE(set(9, 0, 0));                           // not a table
    CHECK_FALSE(tables.update({kFrames * kPageSize, 0}));
    CHECK_FALSE(tables.update({~u64{7}, 0}));
    CHECK_FALSE(tables.update({4 * kPageSize + 4, 0}));  // between entries
    CHECK_FALSE(set(1, 0, to(10)));                      // slots that are not the guest's
    CHECK_FALSE(set(1, 256, to(10)));
    CHECK_FALSE(set(1, 33, to(1)));                      // a root is nobody's child
    CHECK_FALSE(set(1, 33, to(3)));                      // another level
    CHECK_FALSE(set(2, 1, to(2)));                       // itself
    CHECK_FALSE(set(2, 1, to(9)));                       // writable
    CHECK_FALSE(set(4, 1, to(2)));                       // a table, writable
    CHECK(set(4, 1, to(2, kP | kU)));                    // a table, to be read
    CHECK_FALSE(set(4, 2, to(kFrames)));
    CHECK_FALSE(set(4, 2, to(u64{1} << 39)));
    for (const u64 bit : {u64{8}, u64{16}, u64{128}, u64{256}, u64{1} << 52, u64{1} << 62}) CHECK_FALSE(set(4, 2, to(9) | bit));
    memory.words(10)[511] = 1;
    CHECK_FALSE(set(2, 1, to(10)));                      // not empty
    CHECK_FALSE(tables.create_root(10));
    CHECK_FALSE(tables.create_root(9));                  // writable
    CHECK_FALSE(tables.create_root(kFrames));
    CHECK_FALSE(tables.destroy_root(2));
    memory.absent = {11};
    CHECK_FALSE(tables.create_root(11));                 // no memory behind it
    CHECK_FALSE(set(2, 1, to(11)));
    check_against_model(*this, {1});
}

TEST_CASE_FIXTURE(Fixture, "paravirt tables: a root goes with what only it led to") {
    build();
    REQUIRE(tables.create_root(5));
    REQUIRE(set(5, 40, to(2)));  // shared
    REQUIRE(set(4, 0, to(9)));
    CHECK(tables.destroy_root(1));
    CHECK(effects.roots_gone == std::vector<u64>{1});
    check_against_model(*this, {5});
    CHECK_FALSE(tables.create_root(9));  // Still writable by what is left.
    CHECK(tables.destroy_root(5));
    check_against_model(*this, {});
    CHECK(tables.create_root(9));
    CHECK_FALSE(tables.destroy_root(5));
}

TEST_CASE_FIXTURE(Fixture, "paravirt tables: tables that were written behind its back harm nobody else") {
    build();
    memory.words(4)[3] = to(u64{1} << 30);  // nowhere
    memory.words(4)[4] = to(2);             // a table
    memory.words(2)[7] = to(9);             // no table
    memory.words(3)[7] = to(3);             // a loop
    Translation translation;
    CHECK_FALSE(tables.walk(1, (u64{32} << 39) + 3 * kPageSize, translation));
    CHECK(tables.destroy_root(1));
    for (const auto& use : uses) CHECK(u32{use.uses} < 10);
}

TEST_CASE("paravirt tables: random updates against a look at everything") {
    Random random(7);
    for (int round = 0; round < 40; ++round) {
        Fixture fixture;
        std::set<u64> roots;
        u64 accepted = 0;
        for (int step = 0; step < 600; ++step) {
            const u64 frame = random.below(kFrames);
            switch (random.below(12)) {
                case 0:
                    if (fixture.tables.create_root(frame)) roots.insert(frame), ++accepted;
                    break;
                case 1:
                    if (random.one_in(4) && fixture.tables.destroy_root(frame)) roots.erase(frame);
                    break;
                default: {
                    const u64 bits = random.one_in(8) ? random.next() & 0xfff : (kP | kU | (random.one_in(3) ? 0 : kW));
                    const u64 value = random.one_in(4) ? 0 : Fixture::to(random.below(kFrames + 1), bits);
                    accepted += fixture.set(frame, random.one_in(4) ? random.below(512) : 32 + random.below(3), value);
                }
            }
            // Frames that are tables are read-only to the guest; others it may fill or clear.
            if (random.one_in(20) && !fixture.tables.is_table(frame)) fixture.memory.words(frame)[random.below(512)] = random.below(2);
            if (random.one_in(10) && !fixture.tables.is_table(frame)) std::fill_n(fixture.memory.words(frame), 512, 0);
            if (step % 20 == 0) check_against_model(fixture, roots);
        }
        check_against_model(fixture, roots);
        CHECK(accepted > 30);
        for (const u64 root : std::set(roots)) REQUIRE(fixture.tables.destroy_root(root));
        check_against_model(fixture, {});
    }
}

TEST_CASE("paravirt tables: a shadow that follows the effects is never stale") {
    Random random(23);
    u64 looked_at = 0, single_pages = 0;
    for (int round = 0; round < 60; ++round) {
        Fixture fixture;
        std::map<std::pair<u64, u64>, Translation> shadow;  // Of root and page.
        const auto random_page = [&] { return (32 + random.below(2)) << 39 | random.below(2) << 30 | random.below(2) << 21 | random.below(3) << 12; };
        fixture.build();
        for (int step = 0; step < 1500; ++step) {
            u64 frame = random.below(kFrames);
            // Mostly where pages are.
            for (int i = 0; i < 6 && u32{fixture.uses[frame].level} != 1; ++i) frame = random.below(kFrames);
            if (random.one_in(12)) fixture.tables.create_root(frame);
            else if (random.one_in(100)) fixture.tables.destroy_root(frame);
            else fixture.set(frame, random.one_in(3) ? 32 + random.below(2) : random.below(3), random.one_in(6) ? 0 : Fixture::to(random.below(kFrames), kP | kU | (random.one_in(2) ? kW : 0)));
            if (!fixture.tables.is_table(frame) && random.one_in(3)) std::fill_n(fixture.memory.words(frame), 512, 0);

            NotedEffects& effects = fixture.effects;
            for (const auto& at : effects.changed) shadow.erase(at), ++single_pages;
            for (const u64 root : effects.roots_gone) std::erase_if(shadow, [&](const auto& one) { return one.first.first == root; });
            if (effects.tables_changed_count != 0) shadow.clear();
            effects.changed.clear(), effects.roots_gone.clear(), effects.tables_changed_count = 0;

            Translation now;
            for (const auto& [at, then] : shadow) {
                REQUIRE(fixture.tables.walk(at.first, at.second, now));
                REQUIRE((now.frame == then.frame && now.writable == then.writable && now.user == then.user && now.executable == then.executable));
                REQUIRE_FALSE((then.writable && fixture.tables.is_table(then.frame)));
                ++looked_at;
            }
            for (int i = 0; i < 4; ++i) {
                const std::pair<u64, u64> at{random.one_in(2) ? 1 : random.below(kFrames), random_page()};
                if (fixture.tables.walk(at.first, at.second, now)) shadow[at] = now;
            }
        }
    }
    CHECK(looked_at > 10'000);
    CHECK(single_pages > 100);
}
