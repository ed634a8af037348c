// The whole machine, as a kernel without firmware comes up on it.
#include <doctest/doctest.h>

#include <initializer_list>
#include <utility>

#include "libos/vmm/devices/mp_table.hpp"
#include "libos/vmm/platform.hpp"
#include "tests/unit/vmm_machine.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

namespace {

struct Machine {
    TestMemory memory{256};
    TestLog log;
    TestSink serial;
    Platform platform;

    explicit Machine(u32 cpus = 1) : platform(memory, log, serial, {cpus, 1'000'000'000, 1'000'000'000}) {}

    void out(u16 port, u32 value, u32 size = 1) { platform.port_write(port, size, value); }
    u32 in(u16 port, u32 size = 1) { return platform.port_read(port, size); }
    void set_up_interrupts() {
        for (const auto& [port, value] : {std::pair<u16, u32>{0x20, 0x11},
                                          {0x21, 0x30},
                                          {0x21, 4},
                                          {0x21, 1},
                                          {0x21, 0},
                                          {0xa0, 0x11},
                                          {0xa1, 0x38},
                                          {0xa1, 2},
                                          {0xa1, 1},
                                          {0xa1, 0}})
            out(port, value);
    }
    void start_timer() {
        out(0x43, 0x34);
        out(0x40, 0xa9);  // 1193: a millisecond
        out(0x40, 0x04);
    }
};

}  // namespace

TEST_CASE("vmm: the platform's timer, serial line, clock and disk, by ports alone") {
    Machine machine;
    machine.set_up_interrupts();
    CHECK(machine.platform.next_event() == kNever);
    machine.start_timer();
    if (machine.platform.interrupt_pending()) machine.platform.acknowledge();
    machine.out(0x20, 0x20);
    const u64 tick = machine.platform.next_event();
    CHECK(tick >= 999'000);
    CHECK(tick <= 1'001'000);
    machine.platform.advance(tick - 1);
    CHECK_FALSE(machine.platform.interrupt_pending());
    machine.platform.advance(tick);
    CHECK(machine.platform.attention() == 1);
    CHECK(machine.platform.acknowledge() == 0x30);
    machine.out(0x20, 0x20);

    machine.out(0x3f8, 'k');
    CHECK(machine.serial.text == "k");
    machine.out(0x3f9, 1);
    machine.out(0x3fc, 8);
    CHECK(machine.platform.serial().receive(bytes_of("q")) == 1);
    CHECK(machine.platform.acknowledge() == 0x34);
    CHECK(machine.in(0x3f8) == 'q');
    machine.out(0x20, 0x20);

    machine.out(0x70, 9);
    CHECK(machine.in(0x71) == 0x01);  // 2001

    TestDisk disk(8);
    VirtioBlock* const block = machine.platform.add_disk(disk, "d");
    REQUIRE(block != nullptr);
    machine.out(0xcf8, 0x8000'0000 | 1 << 11 | 0x10, 4);
    const u16 base = static_cast<u16>(machine.in(0xcfc, 4) & ~3u);
    CHECK(machine.in(static_cast<u16>(base + 20), 4) == 8);
    GuestQueue queue(machine.memory, 16, kMaxQueueSize);
    machine.out(static_cast<u16>(base + 8), queue.page(), 4);
    queue.offer({{0x8000, 16, false}, {0x9000, 512, true}, {0x9200, 1, true}});
    machine.out(static_cast<u16>(base + 16), 0, 2);
    CHECK(machine.platform.acknowledge() == 0x38 + 2);
    CHECK(machine.in(static_cast<u16>(base + 19)) == 1);
    machine.out(0xa0, 0x20);
    machine.out(0x20, 0x20);
    CHECK_FALSE(machine.platform.interrupt_pending());
    CHECK(machine.log.notes.empty());
}

TEST_CASE("vmm: everything has its slot, until they are taken") {
    Machine machine;
    TestDisk disk(8);
    TestPort port;
    TestSink sink;
    TestOwner owner;
    for (u32 i = 0; i < Platform::kDisks; ++i) CHECK(machine.platform.add_disk(disk, "d") != nullptr);
    CHECK(machine.platform.add_disk(disk, "d") == nullptr);
    for (u32 i = 0; i < Platform::kNets; ++i) CHECK(machine.platform.add_net(port, MacAddress{2}) != nullptr);
    CHECK(machine.platform.add_console(sink) != nullptr);
    CHECK(machine.platform.add_balloon(owner) != nullptr);
    CHECK(machine.platform.add_balloon(owner) == nullptr);
    u32 found = 0;
    for (u32 slot = 0; slot < 32; ++slot) {
        machine.out(0xcf8, 0x8000'0000 | slot << 11, 4);
        found += machine.in(0xcfc, 4) != ~u32{0};
    }
    CHECK(found == 1 + Platform::kDisks + Platform::kNets + 2);
}

TEST_CASE("vmm: with one CPU there are no APICs") {
    Machine machine;
    CHECK_FALSE(machine.platform.msr_read(0x1b));
    CHECK_FALSE(machine.platform.msr_read(0x802));
    CHECK_FALSE(machine.platform.msr_write(0x6e0, 1, true));
    CHECK(machine.platform.write_tables());
    CHECK(machine.memory.read<u32>(kMpTable) == 0);
    CHECK(machine.platform.msr_write(0xc000'0080, 0x100, false));
    CHECK(machine.platform.msrs().efer == 0x100);
    for (u32 i = 0; i < 3; ++i) CHECK_FALSE(machine.platform.msr_read(0x8b));
    CHECK(machine.log.notes.size() == 4);
}

TEST_CASE("vmm: with several CPUs, devices interrupt the first through its APIC") {
    Machine machine(2);
    Platform& platform = machine.platform;
    CHECK(platform.write_tables());
    CHECK(machine.memory.read<u32>(kMpTable) == 0x5f50'4d5f);
    machine.set_up_interrupts();
    machine.start_timer();
    platform.advance(platform.next_event());
    CHECK(platform.interrupt_pending(0));
    CHECK_FALSE(platform.interrupt_pending(1));
    CHECK(platform.attention() == 1);
    for (u32 cpu = 0; cpu < 2; ++cpu) {
        CHECK(platform.msr_write(0x1b, kApicPage | 0xc00, true, cpu));
        CHECK(platform.msr_write(0x80f, 0x1ff, true, cpu));
    }
    CHECK(platform.msr_write(0x83f, 0x77, true, 0));
    CHECK(platform.acknowledge(0) == 0x77);  // its own first,
    CHECK(platform.acknowledge(0) == 0x30);  // then the timer's
    CHECK(platform.msr_write(0x835, 0x1'0700, true, 0));
    platform.advance(platform.next_event());
    machine.out(0x20, 0x20);
    CHECK_FALSE(platform.interrupt_pending(0));
    CHECK(platform.msr_write(0x830, 0xc'0055, true, 0));
    CHECK(platform.attention() == 2);
    CHECK(platform.acknowledge(1) == 0x55);
    // The deadline: a value of the TSC, which counts nanoseconds here.
    CHECK(platform.msr_write(0x832, 0x4'0066, true, 1));
    CHECK(platform.msr_write(0x6e0, 5'000'000'000, true, 1));
    platform.advance(platform.time_at(4'999'999'999));
    CHECK_FALSE(platform.interrupt_pending(1));
    platform.advance(platform.time_at(5'000'000'000));
    CHECK(platform.interrupt_pending(1));
    CHECK(platform.msr_write(0x830, u64{1} << 32 | 0x500, true, 0));
    CHECK(platform.attention() == 2);
    CHECK(platform.apics().take_init(1));
    CHECK(platform.attention() == 0);
}
