// Region policies over the host kernel: a program's memory must behave as plain memory does, whatever the
// policy puts out, copies or drops meanwhile.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <vector>

#include "libos/paging/address_space.hpp"
#include "libos/paging/paged_region.hpp"
#include "libos/paging/regions.hpp"
#include "tests/unit/libos_kernel.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::libos;
using tessera::test::HostKernel;
using tessera::test::Random;

namespace {

template <class T>
struct Made;

template <>
struct Made<HierarchicalTable> {
    std::vector<HierarchicalTable::Node> nodes{64};
    std::vector<u16> used = std::vector<u16>(64);
    HierarchicalTable table{nodes, used};
};
template <>
struct Made<InvertedTable> {
    std::vector<InvertedTable::Slot> slots{1024};
    InvertedTable table{slots};
};

/// Random reads and writes over `pages` pages, against an array. Bindings get lost at random.
void behave_like_memory(HostKernel& kernel, PageNumber first, u64 pages, Random& random, u64 steps) {
    std::vector<u64> model(pages * 4);
    for (u64 step = 0; step < steps; ++step) {
        const u64 page = random.one_in(3) ? random.below(pages) : random.below((pages + 3) / 4);
        const u64 word = random.below(4);
        if (random.one_in(2)) {
            model[page * 4 + word] = random.next();
            REQUIRE(kernel.write(first + page, word * 127, model[page * 4 + word]));
        } else {
            u64 value = 0;
            REQUIRE(kernel.read(first + page, word * 127, value));
            REQUIRE(value == model[page * 4 + word]);
        }
        if (random.one_in(200)) kernel.drop_all();
    }
}

}  // namespace

TEST_CASE_TEMPLATE("libos: a demand-zero region is memory", Table, HierarchicalTable, InvertedTable) {
    HostKernel kernel;
    Made<Table> made;
    AddressSpace<Table> space(made.table);
    FramePool pool;
    REQUIRE(pool.open(100).ok());
    DemandZeroRegion region(kernel.first_page(), 100, pool, space.add_source(pool.capability()));
    REQUIRE(space.add_region(region));
    space.install();
    Random random(7);
    behave_like_memory(kernel, region.first(), region.count(), random, 20'000);
    CHECK(pool.free() == 100 - made.table.size());
    CHECK_FALSE(kernel.touch(region.first(), Right::execute));
    CHECK_FALSE(kernel.touch(region.first() + region.count(), Right::read));
}

TEST_CASE("libos: a demand-zero region hands out zeros even in used frames") {
    HostKernel kernel;
    Made<InvertedTable> made;
    AddressSpace<InvertedTable> space(made.table);
    FramePool pool;
    REQUIRE(pool.open(1).ok());
    const u64 source = space.add_source(pool.capability());
    DemandZeroRegion region(kernel.first_page(), 4, pool, source);
    REQUIRE(space.add_region(region));
    space.install();
    REQUIRE(kernel.write(region.first(), 5, 0x5555));
    const FrameNumber frame = made.table.find(region.first()).frame();
    REQUIRE(space.unmap(region.first(), Entry{}));
    CHECK_FALSE(kernel.is_bound(region.first()));
    pool.give(frame);
    u64 value = 1;
    REQUIRE(kernel.read(region.first() + 1, 5, value));
    CHECK(value == 0);
    // And now there is no frame for a third page.
    CHECK_FALSE(kernel.touch(region.first() + 2, Right::read));
}

TEST_CASE_TEMPLATE("libos: a copy shares until it is written, and then is private", Table, HierarchicalTable,
                   InvertedTable) {
    constexpr u64 kPages = 16;
    HostKernel kernel;
    Made<Table> made;
    AddressSpace<Table> space(made.table);
    FramePool originals, copies;
    REQUIRE(originals.open(kPages).ok());
    REQUIRE(copies.open(kPages).ok());
    const u64 source = space.add_source(originals.capability());
    FlatRegion original(kernel.first_page(), kPages, Right::read | Right::write);
    REQUIRE(original.open(originals.capability(), originals.first()).ok());
    CopyOnWriteRegion copy(kernel.first_page() + 1024, kPages, {original.first(), originals.first(), source}, copies,
                           space.add_source(copies.capability()));
    REQUIRE(space.add_region(original));
    REQUIRE(space.add_region(copy));
    space.install();
    for (u64 i = 0; i < kPages; ++i) REQUIRE(kernel.write(original.first() + i, 9, 100 + i));

    Random random(11);
    std::vector<u64> expected(kPages);
    for (u64 i = 0; i < kPages; ++i) expected[i] = 100 + i;
    std::vector<bool> written(kPages);
    for (u64 step = 0; step < 2000; ++step) {
        const u64 page = random.below(kPages);
        if (random.one_in(20)) {
            expected[page] = random.next();
            written[page] = true;
            REQUIRE(kernel.write(copy.first() + page, 9, expected[page]));
        } else {
            u64 value = 0;
            REQUIRE(kernel.read(copy.first() + page, 9, value));
            REQUIRE(value == expected[page]);
        }
        if (random.one_in(50)) kernel.drop_all();
    }
    u64 private_pages = 0;
    for (u64 i = 0; i < kPages; ++i) {
        u64 value = 0;
        REQUIRE(kernel.read(original.first() + i, 9, value));
        CHECK(value == 100 + i);
        private_pages += written[i];
    }
    CHECK(copy.copies() == private_pages);
    CHECK(copies.free() == kPages - private_pages);
}

TEST_CASE("libos: a flat region comes back by its TLB-entry capability alone") {
    HostKernel kernel;
    Made<InvertedTable> made;
    AddressSpace<InvertedTable> space(made.table);
    FramePool pool;
    REQUIRE(pool.open(64).ok());
    FlatRegion region(kernel.first_page(), 64, Right::read | Right::write, 8);
    REQUIRE(region.open(pool.capability(), pool.first()).ok());
    REQUIRE(space.add_region(region));
    space.install();
    Random random(5);
    behave_like_memory(kernel, region.first(), region.count(), random, 5000);
    CHECK(made.table.size() == 0);
    CHECK(kernel.calls(Bind::number) == 1);
    CHECK(kernel.calls(Rebind::number) > 0);
    // Eight pages a call, and none behind the end.
    kernel.drop_all();
    REQUIRE(kernel.touch(region.first() + 58, Right::read));
    CHECK(kernel.is_bound(region.first() + 63));
    CHECK_FALSE(kernel.is_bound(region.first() + 57));
    CHECK_FALSE(kernel.touch(region.first(), Right::execute));
}

TEST_CASE_TEMPLATE("libos: a paged region is memory, with any eviction and any store", Policy, Fifo, Clock, Aging) {
    for (bool squeezed : {false, true}) {
        for (u64 frames : {1u, 3u, 16u, 40u}) {
            constexpr u64 kPages = 48;
            HostKernel kernel;
            Made<HierarchicalTable> made;
            AddressSpace<HierarchicalTable> space(made.table);
            FramePool pool;
            REQUIRE(pool.open(frames).ok());
            // The store's pages get lost like any others: writing a page out can fault.
            FramePool store_frames;
            REQUIRE(store_frames.open(kPages).ok());
            FlatRegion store_pages(kernel.first_page() + 2048, kPages, Right::read | Right::write);
            REQUIRE(store_pages.open(store_frames.capability(), store_frames.first()).ok());
            REQUIRE(space.add_region(store_pages));
            MemoryStore memory_store(store_pages.first(), kPages);
            std::vector<SqueezingStore::Unit> units(1000);
            std::vector<u32> heads(kPages);
            SqueezingStore squeezing_store(units, heads);
            BackingStore& store = squeezed ? static_cast<BackingStore&>(squeezing_store) : memory_store;

            auto eviction = std::make_unique<Policy>();
            std::vector<PageNumber> places(frames);
            PagedRegion region(kernel.first_page(), kPages,
                               {pool, space.add_source(pool.capability()), store, *eviction,
                                StlbView(kernel.stlb(), HostKernel::kStlbEntries), places});
            REQUIRE(space.add_region(region));
            space.install();
            Random random(frames);
            behave_like_memory(kernel, region.first(), kPages, random, 4000);
            const auto& counts = region.counts();
            CHECK(counts.evictions > 0);
            CHECK(counts.writes <= counts.evictions);
            CHECK(counts.reads > 0);
            CHECK(counts.zero_fills <= kPages + counts.evictions);
            u64 resident = 0;
            for (u64 i = 0; i < kPages; ++i) {
                resident += made.table.find(region.first() + i).has(Entry::kResident);
            }
            CHECK(resident == frames);
        }
    }
}

TEST_CASE("libos: the clock keeps what is used, FIFO does not") {
    auto faults_with = [](Eviction& eviction) {
        constexpr u64 kPages = 32, kFrames = 8;
        HostKernel kernel;
        Made<InvertedTable> made;
        AddressSpace<InvertedTable> space(made.table);
        FramePool pool;
        REQUIRE(pool.open(kFrames).ok());
        std::vector<SqueezingStore::Unit> units(100);
        std::vector<u32> heads(kPages);
        SqueezingStore store(units, heads);
        std::vector<PageNumber> places(kFrames);
        PagedRegion region(kernel.first_page(), kPages,
                           {pool, space.add_source(pool.capability()), store, eviction,
                            StlbView(kernel.stlb(), HostKernel::kStlbEntries), places});
        REQUIRE(space.add_region(region));
        space.install();
        // Two pages all the time, the others in turn.
        for (u64 step = 0; step < 3000; ++step) {
            REQUIRE(kernel.touch(region.first(), Right::read));
            REQUIRE(kernel.touch(region.first() + 1, Right::read));
            REQUIRE(kernel.touch(region.first() + (2 + step % (kPages - 2)), Right::read));
        }
        return region.counts().faults;
    };
    Fifo fifo;
    Clock clock;
    auto aging = std::make_unique<Aging>();
    const u64 fifo_faults = faults_with(fifo);
    CHECK(faults_with(clock) < fifo_faults);
    CHECK(faults_with(*aging) < fifo_faults);
}

namespace {

/// Puts out place 0, and notes what it is told of all.
class Asking final : public Eviction {
  public:
    void on_filled(u64) override {}
    u64 choose(u64 count, UseBits& used) override {
        answers.clear();
        for (u64 place = 0; place < count; ++place) answers.push_back(used.test_and_clear(place));
        return 0;
    }
    std::vector<bool> answers;
};

/// Two frames under ten pages.
struct SmallRegion {
    HostKernel kernel;
    Made<InvertedTable> made;
    AddressSpace<InvertedTable> space{made.table};
    FramePool pool;
    std::vector<SqueezingStore::Unit> units = std::vector<SqueezingStore::Unit>(100);
    std::vector<u32> heads = std::vector<u32>(10);
    SqueezingStore store{units, heads};
    std::vector<PageNumber> places = std::vector<PageNumber>(2);
    Asking eviction;
    std::optional<PagedRegion> region;

    SmallRegion() {
        REQUIRE(pool.open(2).ok());
        const StlbView view(kernel.stlb(), HostKernel::kStlbEntries);
        const u64 source = space.add_source(pool.capability());
        region.emplace(kernel.first_page(), 10, PagedRegion::Parts{pool, source, store, eviction, view, places});
        REQUIRE(space.add_region(*region));
        space.install();
    }
    PageNumber page(u64 i) const { return region->first() + i; }
};

}  // namespace

TEST_CASE("libos: a page that the S-TLB has lost counts as used, once") {
    SmallRegion small;
    REQUIRE(small.kernel.touch(small.page(0), Right::read));
    REQUIRE(small.kernel.touch(small.page(1), Right::read));
    small.kernel.drop_all();
    REQUIRE(small.kernel.touch(small.page(2), Right::read));
    CHECK(small.eviction.answers == std::vector{true, true});
    // Page 2 is there now, and was used. Page 1 is still lost.
    REQUIRE(small.kernel.touch(small.page(3), Right::read));
    CHECK(small.eviction.answers == std::vector{true, false});
    // It comes back, is used, and is lost again: then it may have been used again too.
    REQUIRE(small.kernel.touch(small.page(1), Right::read));
    REQUIRE(small.kernel.touch(small.page(4), Right::read));
    CHECK(small.eviction.answers == std::vector{true, true});
    small.kernel.drop_all();
    REQUIRE(small.kernel.touch(small.page(5), Right::read));
    CHECK(small.eviction.answers == std::vector{true, true});
    // What is there and is not used counts as not used.
    REQUIRE(small.kernel.touch(small.page(1), Right::read));
    REQUIRE(small.kernel.touch(small.page(6), Right::read));
    CHECK(small.eviction.answers == std::vector{true, true});
    REQUIRE(small.kernel.touch(small.page(7), Right::read));
    CHECK(small.eviction.answers == std::vector{true, false});
}

TEST_CASE("libos: a page that was written goes to the store even if the S-TLB, and its dirty bit with it, is lost") {
    SmallRegion small;
    REQUIRE(small.kernel.write(small.page(0), 7, 0x1234));
    REQUIRE(small.kernel.touch(small.page(1), Right::read));
    small.kernel.drop_all();
    REQUIRE(small.kernel.touch(small.page(2), Right::read));
    CHECK(small.region->counts().writes == 1);
    u64 value = 0;
    REQUIRE(small.kernel.read(small.page(0), 7, value));
    CHECK(value == 0x1234);
    // Read only since it came back: the store's copy is good, whatever the S-TLB does not know.
    small.kernel.drop_all();
    REQUIRE(small.kernel.touch(small.page(3), Right::read));
    CHECK(small.region->counts().writes == 1);
    REQUIRE(small.kernel.read(small.page(0), 7, value));
    CHECK(value == 0x1234);
}

TEST_CASE("libos: regions do not overlap") {
    HostKernel kernel;
    Made<InvertedTable> made;
    AddressSpace<InvertedTable> space(made.table);
    FramePool pool;
    REQUIRE(pool.open(1).ok());
    DemandZeroRegion first(PageNumber{100}, 10, pool, 0), inside(PageNumber{103}, 2, pool, 0),
        around(PageNumber{90}, 100, pool, 0), behind(PageNumber{110}, 5, pool, 0), empty(PageNumber{200}, 0, pool, 0);
    CHECK(space.add_region(first));
    CHECK_FALSE(space.add_region(inside));
    CHECK_FALSE(space.add_region(around));
    CHECK_FALSE(space.add_region(empty));
    CHECK(space.add_region(behind));
}
