// Disks that share an image: each beside a copy of its own, and the pool that they draw from.
#include <doctest/doctest.h>

#include <memory>

#include "libos/vmm/devices/cow_disk.hpp"
#include "tests/unit/random.hpp"
#include "tests/unit/vmm_machine.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

namespace {

/// An image whose pages lie anywhere; the last one is no longer than its bytes.
struct Scattered final : DiskImage {
    explicit Scattered(u64 bytes) : DiskImage(bytes) {
        Random random(bytes);
        for (u64 i = 0; i < blocks(); ++i) {
            Bytes page(std::min(kPageSize, bytes - i * kPageSize));
            for (std::byte& byte : page) byte = static_cast<std::byte>(random.next());
            all.insert(all.end(), page.begin(), page.end());
            pages.push_back(std::move(page));
        }
    }
    const std::byte* block(u64 index) override { return index == unreadable ? nullptr : pages.at(index).data(); }
    std::vector<Bytes> pages;
    Bytes all;
    u64 unreadable = ~u64{0};
};

}  // namespace

TEST_CASE("vmm: disks of one image, each with its own writes") {
    Scattered image(25 * 512 + 7 * kPageSize);
    const Bytes original = image.all;
    Bytes memory(16 * kPageSize + 100);
    BlockPool pool(memory);
    CHECK(pool.free() == 16);
    struct Guest {
        std::vector<u32> places;
        CowDisk disk;
        Bytes model;
        Guest(Scattered& image, BlockPool& pool)
            : places(image.blocks()), disk(image, pool, places), model(image.all) {}
    };
    std::vector<std::unique_ptr<Guest>> guests;
    for (u32 i = 0; i < 3; ++i) guests.push_back(std::make_unique<Guest>(image, pool));
    Random random(14);
    u64 refused = 0;
    for (u32 step = 0; step < 5000; ++step) {
        Guest& guest = *guests[random.below(3)];
        const u64 sectors = guest.disk.sectors();
        REQUIRE(sectors == original.size() / 512);
        const u64 count = random.between(1, 20), first = random.below(sectors - count + 1);
        Bytes bytes(count * 512);
        const long at = static_cast<long>(first * 512);
        if (random.one_in(100)) {
            guest.disk.discard();
            guest.model = original;
            REQUIRE(guest.disk.changed() == 0);
        } else if (random.one_in(3)) {
            for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
            if (guest.disk.write(first, bytes)) {
                std::copy(bytes.begin(), bytes.end(), guest.model.begin() + at);
            } else {
                // The pool is empty: a part was written. What that is, the disk itself says.
                REQUIRE(pool.free() == 0);
                ++refused;
                REQUIRE(guest.disk.read(0, guest.model));
            }
        } else {
            REQUIRE(guest.disk.read(first, bytes));
            REQUIRE(std::equal(bytes.begin(), bytes.end(), guest.model.begin() + at));
        }
        u64 changed = 0;
        for (const auto& each : guests) changed += each->disk.changed();
        REQUIRE(changed + pool.free() == 16);
    }
    CHECK(refused > 0);
    CHECK(image.all == original);

    Guest& guest = *guests[0];
    guests[1]->disk.discard();
    REQUIRE(guest.disk.write(0, Bytes(512, std::byte{1})));
    u64 kept = 0;
    guest.disk.each_changed([&](u64 index, std::span<const std::byte> bytes) {
        ++kept;
        const u64 size = std::min(kPageSize, guest.model.size() - index * kPageSize);
        if (index != 0)
            CHECK(std::equal(bytes.begin(), bytes.begin() + static_cast<long>(size),
                             guest.model.begin() + static_cast<long>(index * kPageSize)));
    });
    CHECK(kept == guest.disk.changed());
}

TEST_CASE("vmm: a block that cannot be read cannot be written either, and no place in the pool is lost") {
    Scattered image(4 * kPageSize);
    image.unreadable = 2;
    Bytes memory(4 * kPageSize);
    BlockPool pool(memory);
    std::vector<u32> places(2);  // too few: the disk serves as far as they go
    CowDisk disk(image, pool, places);
    Bytes sector(512);
    CHECK(disk.write(8, sector));
    CHECK_FALSE(disk.write(16, sector));
    CHECK_FALSE(disk.read(24, sector));
    std::vector<u32> all(4);
    CowDisk whole(image, pool, all);
    CHECK_FALSE(whole.read(16, sector));
    CHECK_FALSE(whole.write(16, sector));
    CHECK(pool.free() == 3);
}
