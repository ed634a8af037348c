// Memory that is asked back, or taken by force at any moment, over the host kernel: what a program sees in a paged region
// must stay what it wrote there.
#include <doctest/doctest.h>

#include <memory>
#include <vector>

#include "libos/paging/address_space.hpp"
#include "libos/paging/regions.hpp"
#include "libos/revocation/givers.hpp"
#include "tests/unit/libos_kernel.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::libos;
using tessera::test::HostKernel;
using tessera::test::Random;

namespace {

constexpr u64 kPages = 48;

/// Pages bound to frames of another's, to which the kernel saves, too.
class HostVault final : public BackingStore {
  public:
    HostVault(PageNumber first, FramePool& frames) : memory_(first, kPages), frames_(frames) {}
    bool write(u64 slot, const void* from) override { return memory_.write(slot, from); }
    bool read(u64 slot, void* to) override { return memory_.read(slot, to); }
    bool seed(const Capability& own, FrameNumber frame, u64 slot) override {
        AutosaveSpec spec{AutosaveKind::none, 0, address(frames_.capability()), {}};
        if (slot != kAny) spec = {AutosaveKind::copy, 0, spec.destination, frames_.first() + slot};
        const Error error = enter_kernel<Autosave>({address(own), frame, 1, address(spec)}).error;
        REQUIRE(error != Error::in_use);
        return error == Error::ok && slot != kAny;
    }

  private:
    MemoryStore memory_;
    FramePool& frames_;
};

void compute(u64 slot, void* to) {
    for (u64 i = 0; i < kPageSize / 8; ++i) static_cast<u64*>(to)[i] = slot * 1000 + i;
}

RegionGiver* giver_of_test = nullptr;

/// A paged region over a vault, or over computed pages.
struct Program {
    HostKernel kernel;
    std::vector<HierarchicalTable::Node> nodes = std::vector<HierarchicalTable::Node>(64);
    std::vector<u16> used = std::vector<u16>(64);
    HierarchicalTable table{nodes, used};
    AddressSpace<HierarchicalTable> space{table};
    FramePool pool, vault_frames;
    std::unique_ptr<FlatRegion> vault_pages;
    std::unique_ptr<HostVault> vault;
    ComputedStore computed{compute};
    Clock eviction;
    std::vector<PageNumber> places;
    std::unique_ptr<PagedRegion> region;
    std::unique_ptr<RegionGiver> giver;
    PoolGiver pool_giver{pool};

    Program(u64 frames, bool is_computed) : places(frames) {
        REQUIRE(pool.open(frames).ok());
        REQUIRE(vault_frames.open(kPages).ok());
        vault_pages = std::make_unique<FlatRegion>(kernel.first_page() + 2048, kPages, Right::read | Right::write);
        REQUIRE(vault_pages->open(vault_frames.capability(), vault_frames.first()).ok());
        REQUIRE(space.add_region(*vault_pages));
        vault = std::make_unique<HostVault>(vault_pages->first(), vault_frames);
        BackingStore& store = is_computed ? static_cast<BackingStore&>(computed) : *vault;
        region = std::make_unique<PagedRegion>(
            kernel.first_page(), kPages,
            PagedRegion::Parts{pool, space.add_source(pool.capability()), store, eviction,
                               StlbView(kernel.stlb(), HostKernel::kStlbEntries), places, is_computed});
        REQUIRE(space.add_region(*region));
        giver = std::make_unique<RegionGiver>(*region, space, 2, &vault_frames.capability());
        REQUIRE(giver->open().ok());
        giver_of_test = giver.get();
        HostKernel::last_resort = [](VirtAddr address, bool nested) {
            return nested ? giver_of_test->stand_in(address) : giver_of_test->forget_lost() != 0;
        };
        repossessions = &kernel.vector;
        space.install();
    }
    ~Program() { repossessions = nullptr; }

    u64 held() const {
        u64 count = 0;
        for (u64 i = 0; i < pool.count(); ++i) count += pool.holds(pool.first() + i);
        return count;
    }
    /// Where the program is in the middle of nothing.
    u64 safe_point() {
        return settle_losses(kernel.vector, [&] {
            giver->forget_lost();
            pool_giver.forget_lost();
        });
    }
    void check_accounts() {
        u64 resident = 0;
        for (u64 i = 0; i < kPages; ++i) {
            const Entry entry = table.find(region->first() + i);
            if (!entry.has(Entry::kResident)) continue;
            ++resident;
            CHECK(pool.holds(entry.frame()));
        }
        CHECK(resident == region->resident());
        CHECK(held() == resident + pool.free());
    }
};

struct Model {
    std::vector<u64> word = std::vector<u64>(kPages * 4);

    void step(Program& program, Random& random) {
        const u64 page = random.below(kPages), at = random.below(4);
        u64& expected = word[page * 4 + at];
        if (random.one_in(2)) {
            expected = random.next();
            REQUIRE(program.kernel.write(program.region->first() + page, at * 127, expected));
        } else {
            u64 value = 0;
            REQUIRE(program.kernel.read(program.region->first() + page, at * 127, value));
            REQUIRE(value == expected);
        }
    }
};

}  // namespace

TEST_CASE("libos: a pool gives unused frames back, and forgets what was taken") {
    HostKernel kernel;
    FramePool pool;
    REQUIRE(pool.open(10).ok());
    bool is_zero = false;
    const FrameNumber a = pool.take(is_zero), b = pool.take(is_zero), c = pool.take(is_zero);
    CHECK(is_zero);
    pool.give(b);
    CHECK(pool.free() == 8);
    kernel.repossess((pool.first() + 5).value);
    pool.forget_lost();
    CHECK(pool.free() == 7);
    CHECK(pool.release(3) == 3);
    for (u64 i = 7; i < 10; ++i) CHECK_FALSE(kernel.is_owned((pool.first() + i).value));
    CHECK(pool.free() == 4);
    CHECK(pool.release_named(b, 1) == 1);
    CHECK(pool.release_named(a, 1) == 0);
    CHECK_FALSE(kernel.is_owned(b.value));
    for (u64 left = 3; left > 0; --left) {
        const FrameNumber frame = pool.take(is_zero);
        CHECK(pool.holds(frame));
        CHECK_FALSE(is_zero);
    }
    CHECK(pool.take(is_zero).value == kAny);
    CHECK(pool.release(100) == 0);
    pool.give(c);
    CHECK(pool.take(is_zero) == c);
    CHECK(pool.close().ok());
    for (u64 i = 0; i < 10; ++i) CHECK_FALSE(kernel.is_owned((pool.first() + i).value));
}

TEST_CASE("libos: a frame pool against a set, with frames given back and taken at random") {
    Random random(21);
    for (u64 round = 0; round < 200; ++round) {
        HostKernel kernel;
        FramePool pool;
        const u64 count = random.between(1, 100);
        REQUIRE(pool.open(count).ok());
        std::vector<u64> taken;
        for (u64 step = 0; step < 200; ++step) {
            bool is_zero = false;
            switch (random.below(5)) {
                case 0: {
                    const FrameNumber frame = pool.take(is_zero);
                    if (frame.value == kAny) break;
                    CHECK(pool.holds(frame));
                    for (u64 other : taken) CHECK(other != frame.value);
                    taken.push_back(frame.value);
                    break;
                }
                case 1:
                    if (!taken.empty()) {
                        pool.give(FrameNumber{taken.back()});
                        taken.pop_back();
                    }
                    break;
                case 2: {
                    const u64 before = pool.free(), wanted = random.below(6);
                    CHECK(pool.release(wanted) == std::min(before, wanted));
                    break;
                }
                case 3: pool.release_named(pool.first() + random.below(count), random.below(5)); break;
                default: {
                    const u64 frame = pool.first().value + random.below(count);
                    if (!kernel.is_owned(frame)) break;
                    kernel.repossess(frame);
                    std::erase(taken, frame);
                    pool.forget_lost();
                }
            }
            u64 owned = 0;
            for (u64 i = 0; i < count; ++i) owned += kernel.is_owned(pool.first().value + i);
            REQUIRE(owned == taken.size() + pool.free());
        }
    }
}

TEST_CASE("libos: a region that shrinks when it is asked stays memory") {
    Random random(22);
    for (u64 round = 0; round < 20; ++round) {
        Program program(random.between(4, kPages), false);
        Model model;
        for (u64 step = 0; step < 600; ++step) {
            model.step(program, random);
            if (random.one_in(60)) program.kernel.drop_all();
            if (!random.one_in(80)) continue;
            const u64 before = program.held(), wanted = random.below(8);
            const u64 from_pool = program.pool_giver.give(wanted);
            const u64 given = from_pool + program.giver->give(wanted - from_pool);
            CHECK(program.held() == before - given);
            CHECK(given == std::min(wanted, before - std::min<u64>(before, std::max<u64>(2, before - std::min(before, wanted)))));
            program.check_accounts();
        }
        CHECK(program.region->counts().lost == 0);
    }
}

TEST_CASE("libos: named frames are vacated") {
    Random random(23);
    Program program(20, false);
    Model model;
    for (u64 step = 0; step < 300; ++step) model.step(program, random);
    for (u64 i = 0; i < 18; ++i) {
        const FrameNumber frame = program.pool.first() + i;
        CHECK(program.giver->give_named(frame.value, 1) == 1);
        CHECK_FALSE(program.kernel.is_owned(frame.value));
        for (u64 step = 0; step < 50; ++step) model.step(program, random);
    }
    CHECK(program.giver->give_named(program.pool.first().value, 18) == 0);
    program.check_accounts();
}

TEST_CASE("libos: frames are taken by force between any two calls, and their pages come back from where they were saved") {
    Random random(24);
    u64 lost = 0, in_the_middle = 0;
    for (u64 round = 0; round < 60; ++round) {
        Program program(random.between(8, kPages), false);
        Model model;
        u64 depth = 0;
        program.kernel.between_calls = [&] {
            if (depth != 0 || !random.one_in(40) || program.held() <= 4) return;
            ++depth;
            const u64 frame = program.pool.first().value + random.below(program.pool.count());
            if (program.kernel.is_owned(frame)) {
                program.kernel.repossess(frame);
                ++in_the_middle;
            }
            --depth;
        };
        for (u64 step = 0; step < 800; ++step) {
            model.step(program, random);
            program.safe_point();
            if (random.one_in(60)) program.kernel.drop_all();
        }
        program.kernel.between_calls = nullptr;
        program.safe_point();
        program.check_accounts();
        lost += program.region->counts().lost;
        CHECK(program.region->counts().spoilt == 0);
    }
    CHECK(in_the_middle > 500);
    CHECK(lost > 100);
}

TEST_CASE("libos: pages that can be computed come back, whoever took their frames") {
    Random random(25);
    u64 lost = 0;
    for (u64 round = 0; round < 40; ++round) {
        Program program(random.between(8, kPages), true);
        program.kernel.between_calls = [&] {
            const u64 frame = program.pool.first().value + random.below(program.pool.count());
            if (random.one_in(30) && program.held() > 4 && program.kernel.is_owned(frame)) program.kernel.repossess(frame);
        };
        for (u64 step = 0; step < 500; ++step) {
            const u64 page = random.below(kPages), word = random.below(512);
            u64 value = 0;
            REQUIRE(program.kernel.read(program.region->first() + page, word, value));
            REQUIRE(value == page * 1000 + word);
            program.safe_point();
            if (random.one_in(100)) program.giver->give(1);
            if (random.one_in(40)) program.kernel.drop_all();
        }
        program.kernel.between_calls = nullptr;
        CHECK(program.region->counts().writes == 0);
        lost += program.region->counts().lost;
        program.safe_point();
        program.check_accounts();
    }
    CHECK(lost > 50);
}

TEST_CASE("libos: a dirty page that was saved nowhere is not memory any more, and others are") {
    Program program(8, true);
    REQUIRE(program.kernel.write(program.region->first(), 0, 42));
    u64 value = 0;
    REQUIRE(program.kernel.read(program.region->first() + 1, 3, value));
    for (u64 i = 0; i < 2; ++i) program.kernel.repossess(program.table.find(program.region->first() + i).frame().value);
    program.safe_point();
    CHECK(program.region->counts().lost == 2);
    CHECK(program.region->counts().spoilt == 1);
    CHECK_FALSE(program.kernel.read(program.region->first(), 0, value));
    REQUIRE(program.kernel.read(program.region->first() + 1, 3, value));
    CHECK(value == 1003);
}

TEST_CASE("libos: what the vector had no room for is found all the same") {
    Program program(40, true);
    u64 value = 0;
    for (u64 page = 0; page < kPages; ++page) REQUIRE(program.kernel.read(program.region->first() + page, 0, value));
    program.kernel.vector.used = RepossessionVector::kLines;
    for (u64 i = 0; i < 30; ++i) program.kernel.repossess(program.pool.first().value + i);
    CHECK(program.kernel.vector.unreported == 30);
    CHECK(program.safe_point() == 30);
    CHECK(program.region->counts().lost == 30);
    for (u64 page = 0; page < kPages; ++page) {
        REQUIRE(program.kernel.read(program.region->first() + page, 7, value));
        CHECK(value == page * 1000 + 7);
    }
}
