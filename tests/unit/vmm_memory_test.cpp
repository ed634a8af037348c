// Guest memory seen through its helpers, I/O ports, and the log that cannot be filled.
#include <doctest/doctest.h>

#include "libos/vmm/boot/placer.hpp"
#include "libos/vmm/devices/ports.hpp"
#include "tests/unit/random.hpp"
#include "tests/unit/vmm_machine.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

TEST_CASE("vmm: guest memory is copied page by page, and what is not there is refused") {
    TestMemory memory(4);
    Random random(1);
    Bytes model(4 * kPageSize);
    for (u32 i = 0; i < 2000; ++i) {
        const u64 at = random.below(model.size() + 100), length = random.below(3 * kPageSize);
        Bytes bytes(length);
        for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
        const bool fits = at <= model.size() && length <= model.size() - at;
        CHECK(memory.contains(at, length) == fits);
        REQUIRE(memory.copy_out(at, bytes) == fits);
        if (fits) std::copy(bytes.begin(), bytes.end(), model.begin() + static_cast<long>(at));
        if (fits && random.one_in(4)) {
            REQUIRE(memory.clear(at, length / 2));
            std::fill_n(model.begin() + static_cast<long>(at), length / 2, std::byte{0});
        }
        Bytes read(length);
        REQUIRE(memory.copy_in(read, at) == fits);
        if (fits) REQUIRE(std::equal(read.begin(), read.end(), model.begin() + static_cast<long>(at)));
    }
    CHECK(memory.outside == 0);
}

TEST_CASE("vmm: no address wraps, no hole is stepped into") {
    TestMemory memory(4);
    memory.holes = {1};
    memory.read_only = {2};
    std::byte bytes[32]{};
    for (const u64 address : {~u64{0}, ~u64{0} - 15, u64{4} * kPageSize - 31, u64{1} << 63}) {
        CHECK_FALSE(memory.copy_in(bytes, address));
        CHECK_FALSE(memory.copy_out(address, bytes));
        CHECK_FALSE(memory.load(address));
    }
    CHECK_FALSE(memory.contains(8, ~u64{0} - 4));
    CHECK_FALSE(memory.copy_in(bytes, kPageSize - 1));
    CHECK_FALSE(memory.copy_out(2 * kPageSize, bytes));
    CHECK(memory.copy_in(bytes, 2 * kPageSize));
    CHECK_FALSE(memory.store(2 * kPageSize, 1));
    CHECK_FALSE(memory.load(3));  // not aligned
    CHECK(memory.store(0xffe, 0x1234));
    CHECK(memory.load(0xffe) == 0x1234);
    CHECK(memory.read<u16>(0xffe) == 0x1234);
    CHECK(memory.outside == 0);
}

TEST_CASE("vmm: a placer that maps gets whole pages where they coincide, and the rest as bytes") {
    alignas(kPageSize) static const std::byte module[4 * kPageSize]{};
    for (const u64 skip : {u64{0}, u64{16}, u64{4095}}) {
        for (const u64 shift : {u64{0}, u64{8}}) {
            const auto bytes = std::span(module).subspan(skip);
            u64 pages = 0, rest = 0, next = 0x10'0000 + skip + shift;
            CHECK(each_placed(
                next, bytes,
                [&](u64 frame, std::span<const std::byte> page) {
                    CHECK(address_of(FrameNumber{frame}).value == next);
                    next += page.size();
                    ++pages;
                    return page.size() == kPageSize;
                },
                [&](u64 address, std::span<const std::byte> part) {
                    CHECK(address == next);
                    next += part.size();
                    rest += part.size();
                    return true;
                }));
            CHECK(pages * kPageSize + rest == bytes.size());
            CHECK(pages == (shift ? 0 : skip ? 3 : 4));
        }
    }
}

namespace {

/// Remembers what it is asked, and answers with the port's number.
struct Echo final : PortDevice {
    u32 read(u16 port, u32 size) override {
        asked.push_back({port, size});
        return port * 0x101u;
    }
    void write(u16 port, u32 size, u32 value) override { written.push_back({port, size, value}); }
    struct Write {
        u32 port, size, value;
        bool operator==(const Write&) const = default;
    };
    std::vector<std::pair<u32, u32>> asked;
    std::vector<Write> written;
};

}  // namespace

TEST_CASE("vmm: an access wider than its device is taken apart") {
    TestLog log;
    Ports ports(log);
    Echo bytes, words, behind;
    REQUIRE(ports.add(0x20, 0x23, 1, bytes));
    REQUIRE(ports.add(0x30, 0x35, 4, words));
    CHECK_FALSE(ports.add(0x50, 0x4f, 1, bytes));
    CHECK_FALSE(ports.add(0x50, 0x5f, 3, bytes));
    CHECK_FALSE(ports.add(0xff0, 0x100f, 1, bytes));
    CHECK_FALSE(ports.add(0xc000, 0xc0ff, 1, bytes));
    REQUIRE(ports.add(0x33, 0x36, 1, behind));  // only what nobody has

    CHECK(ports.read(0x20, 4) == 0x2322'2120);
    CHECK(bytes.asked.size() == 4);
    CHECK(ports.read(0x30, 4) == 0x30 * 0x101);
    CHECK(words.asked == std::vector<std::pair<u32, u32>>{{0x30, 4}});
    CHECK(ports.read(0x22, 4) == 0xffff'2322);  // half of it is nobody's
    CHECK(log.notes.size() == 2);
    ports.write(0x34, 4, 0xaabb'ccdd);
    CHECK(words.written == std::vector<Echo::Write>{{0x34, 2, 0xccdd}});
    ports.write(0x20, 1, 0x1234);
    CHECK(bytes.written == std::vector<Echo::Write>{{0x20, 1, 0x34}});
    CHECK(ports.read(0x36, 1) == 0x36);
    CHECK(ports.read(0x34, 2) == 0x34 * 0x101);
    CHECK(ports.read(0x20, 3) == ~u32{0});
    CHECK(ports.read(0xffff, 4) == ~u32{0});  // and round to port 0
}

TEST_CASE("vmm: what nobody answers is noted once, and no more than a few times at all") {
    TestLog log;
    Ports ports(log);
    for (u32 round = 0; round < 3; ++round) {
        CHECK(ports.read(0x64, 1) == 0xff);
        CHECK(ports.read(0x64, 2) == 0xffff);
        ports.write(0x80, 1, 1);
    }
    CHECK(log.notes.size() == 3);
    for (u32 port = 0; port < 0x1'0000; ++port) ports.write(static_cast<u16>(port), 1, 0);
    CHECK(log.notes.size() == 16);
}
