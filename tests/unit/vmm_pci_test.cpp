// PCI configuration space as a kernel walks it, and functions that move.
#include <doctest/doctest.h>

#include <initializer_list>
#include <utility>

#include "libos/vmm/devices/pci.hpp"
#include "tests/unit/random.hpp"
#include "tests/unit/vmm_machine.hpp"

using namespace tessera;
using namespace tessera::vmm;
using tessera::test::Random;

namespace {

struct Card final : PciFunction {
    explicit Card(u32 io_size = 64) : PciFunction({0x1af4, 0x1001, 0x01'8000, 0, 0x1af4, 2}, io_size) {}
    u32 io_read(u32 offset, u32 size) override { return all_ones(size) & (0x1111'1111 * offset); }
    void io_write(u32 offset, u32, u32 value) override { last = {offset, value}; }
    void pull(bool level) { set_interrupt(level); }
    std::pair<u32, u32> last;
};

struct Bus {
    test::TestLog log;
    Pic pic{PciBus::kLevelTriggered};
    PciBus pci{pic};
    Ports ports{log};

    Bus() {
        ports.add(PciBus::kConfig, PciBus::kConfig + 7, 4, pci);
        ports.add(PciBus::kWindow, 0xffff, 4, pci);
        for (const auto& [port, value] : {std::pair<u16, u32>{0x20, 0x11},
                                          {0x21, 0x20},
                                          {0x21, 4},
                                          {0x21, 3},
                                          {0x21, 0},
                                          {0xa0, 0x11},
                                          {0xa1, 0x28},
                                          {0xa1, 2},
                                          {0xa1, 3},
                                          {0xa1, 0}})
            pic.write(port, 1, value);
    }
    void select(u32 slot, u32 offset) { ports.write(0xcf8, 4, 0x8000'0000 | slot << 11 | (offset & 0xfc)); }
    u32 config(u32 slot, u32 offset, u32 size) {
        select(slot, offset);
        return ports.read(static_cast<u16>(0xcfc + offset % 4), size);
    }
    void set_config(u32 slot, u32 offset, u32 size, u32 value) {
        select(slot, offset);
        ports.write(static_cast<u16>(0xcfc + offset % 4), size, value);
    }
};

}  // namespace

TEST_CASE("vmm: a kernel finds the bus, its bridge and what is on it") {
    Bus bus;
    Card card;
    REQUIRE(bus.pci.add(card));
    bus.ports.write(0xcfb, 1, 1);  // Linux's check of mechanism 1
    bus.ports.write(0xcf8, 4, 0x8000'0000);
    CHECK(bus.ports.read(0xcf8, 4) == 0x8000'0000);
    CHECK(bus.config(0, 0x0a, 2) == 0x0600);
    CHECK(bus.config(1, 0, 4) == 0x1001'1af4);
    CHECK(bus.config(1, 0x0a, 2) == 0x0180);
    CHECK(bus.config(1, 0x2e, 2) == 2);
    CHECK(bus.config(1, 0x0e, 1) == 0);
    CHECK(bus.config(2, 0, 4) == 0xffff'ffff);
    bus.ports.write(0xcf8, 4, 0x8000'0000 | 1 << 11 | 1 << 8);  // function 1
    CHECK(bus.ports.read(0xcfc, 4) == 0xffff'ffff);
    bus.ports.write(0xcf8, 4, 0x8001'0000 | 1 << 11);  // bus 1
    CHECK(bus.ports.read(0xcfc, 4) == 0xffff'ffff);
    bus.ports.write(0xcf8, 4, 0x0000'0000 | 1 << 11);  // not enabled
    CHECK(bus.ports.read(0xcfc, 4) == 0xffff'ffff);
    // Sizing its range, and putting it back.
    const u32 base = bus.config(1, 0x10, 4);
    CHECK((base & 3) == 1);
    bus.set_config(1, 0x10, 4, ~u32{0});
    CHECK(bus.config(1, 0x10, 4) == 0xffff'ffc1);
    bus.set_config(1, 0x10, 4, base);
    CHECK(bus.config(1, 0x3c, 1) == 10);
    CHECK(bus.config(1, 0x3d, 1) == 1);
    CHECK(bus.config(0, 0x3c, 1) == 0);
}

TEST_CASE("vmm: registers are where the guest puts them, while it has them switched on") {
    Bus bus;
    Card card;
    REQUIRE(bus.pci.add(card));
    const u16 base = static_cast<u16>(bus.config(1, 0x10, 4) & ~3u);
    CHECK(bus.ports.read(static_cast<u16>(base + 4), 4) == 0x4444'4444);
    bus.set_config(1, 0x10, 4, 0x2345'6789);
    CHECK(bus.config(1, 0x10, 4) == 0x2345'6781);
    CHECK(bus.ports.read(static_cast<u16>(base + 4), 4) == 0xffff'ffff);  // beyond the last port
    bus.set_config(1, 0x10, 4, 0x2000);
    CHECK(bus.ports.read(0x2002, 1) == 0x22);
    bus.ports.write(0x203c, 4, 7);
    CHECK(card.last == std::pair<u32, u32>{0x3c, 7});
    bus.ports.write(0x203e, 4, 8);  // half beyond its end
    CHECK(card.last == std::pair<u32, u32>{0x3c, 7});
    bus.set_config(1, 4, 2, 0);
    CHECK(bus.ports.read(0x2002, 1) == 0xff);
    bus.set_config(1, 4, 2, 0xffff);
    CHECK(bus.config(1, 4, 2) == 0x0405);
    bus.set_config(1, 0x10, 4, 0x20);  // where the window is not: nowhere
    CHECK(bus.ports.read(0x22, 1) == 0xff);
}

TEST_CASE("vmm: functions share interrupt lines") {
    Bus bus;
    Card cards[6];
    for (Card& card : cards) REQUIRE(bus.pci.add(card));
    CHECK(bus.config(1, 0x3c, 1) == bus.config(5, 0x3c, 1));
    cards[0].pull(true);
    cards[4].pull(true);
    CHECK((bus.config(5, 6, 2) & 8) == 8);
    CHECK(bus.pic.acknowledge() == 0x20 + 10);
    cards[0].pull(false);
    CHECK(bus.pic.pending());
    bus.set_config(5, 4, 2, 0x0401);  // interrupts of the other one off
    CHECK_FALSE(bus.pic.pending());
    bus.set_config(5, 4, 2, 1);
    CHECK(bus.pic.pending());
    cards[4].pull(false);
    CHECK_FALSE(bus.pic.pending());
    CHECK(bus.config(5, 6, 2) == 0);
    Card one_more, too_many;
    CHECK(bus.pci.add(one_more));
    CHECK_FALSE(bus.pci.add(too_many));
    too_many.pull(true);
    CHECK_FALSE(bus.pic.pending());
}

TEST_CASE("vmm: whatever is written to configuration space, what identifies a function stays") {
    Bus bus;
    Card card;
    REQUIRE(bus.pci.add(card));
    Random random(11);
    for (u32 i = 0; i < 20'000; ++i) {
        const u32 slot = static_cast<u32>(random.below(3)), size = 1u << random.below(3);
        bus.set_config(slot, static_cast<u32>(random.below(256)), size, static_cast<u32>(random.next()));
        if (slot == 1) REQUIRE(card.config_byte(static_cast<u32>(random.next())) <= 0xff);
    }
    CHECK(bus.config(0, 0, 4) == 0x1237'8086);
    CHECK(bus.config(1, 0, 4) == 0x1001'1af4);
    CHECK(bus.config(1, 8, 4) == 0x0180'0000);
    CHECK(bus.config(1, 0x2c, 4) == 0x0002'1af4);
    CHECK((bus.config(1, 0x10, 4) & 0x3f) == 1);
}
