// Local APICs: what MSRs accept, priorities beside a model, timers, and interrupts between CPUs. The CPU that guests
// see.
#include <doctest/doctest.h>

#include <initializer_list>
#include <set>

#include "libos/vmm/devices/apics.hpp"
#include "libos/vmm/devices/cpuid.hpp"
#include "libos/vmm/devices/mp_table.hpp"
#include "libos/vmm/devices/msrs.hpp"
#include "tests/unit/random.hpp"
#include "tests/unit/vmm_machine.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

namespace {

constexpr u64 kX2Apic = kApicPage | 0xc00, kXApic = kApicPage | 0x800;
constexpr u64 kHz = 2'500'000'000;

struct Machine {
    Apics apics{4, kHz};
    u64 now = 1000;

    Machine() {
        for (u32 cpu = 0; cpu < 4; ++cpu) {
            REQUIRE(set(0x1b, kX2Apic, cpu));
            REQUIRE(set(0x80f, 0x1ff, cpu));
        }
    }
    bool set(u32 msr, u64 value, u32 cpu = 0) { return apics.write(cpu, msr, value, now); }
    u64 get(u32 msr, u32 cpu = 0) { return apics.read(cpu, msr, now).value(); }
};

}  // namespace

TEST_CASE("vmm: an APIC goes from off to xAPIC to x2APIC and off, and has MSRs only then") {
    Apics apics(2, kHz);
    CHECK(apics.read(0, 0x1b, 0) == (kXApic | 0x100));
    CHECK(apics.read(1, 0x1b, 0) == kXApic);
    CHECK_FALSE(apics.read(0, 0x802, 0));
    CHECK_FALSE(apics.write(0, 0x80b, 0, 0));
    CHECK_FALSE(apics.write(0, 0x1b, kApicPage | 0x400, 0));
    CHECK_FALSE(apics.write(0, 0x1b, kX2Apic + 0x1000, 0));
    CHECK(apics.write(0, 0x1b, kX2Apic, 0));
    CHECK(apics.read(0, 0x1b, 0) == (kX2Apic | 0x100));  // which CPU came first does not change
    CHECK_FALSE(apics.write(0, 0x1b, kXApic, 0));
    CHECK(apics.write(0, 0x1b, kApicPage, 0));
    CHECK_FALSE(apics.write(0, 0x1b, kX2Apic, 0));
    CHECK(apics[0].accepts_external());
    CHECK(apics[0].next_event() == kNever);
}

TEST_CASE("vmm: which MSRs an APIC has, and what they take") {
    Machine machine;
    const std::set<u32> write_only = {0x80b, 0x83f};
    std::set<u32> there = {0x802, 0x803, 0x808, 0x80a, 0x80d, 0x80f, 0x828, 0x830, 0x832,
                           0x833, 0x834, 0x835, 0x836, 0x837, 0x838, 0x839, 0x83e};
    for (u32 i = 0; i < 24; ++i) there.insert(0x810 + i);
    for (u32 msr = 0x800; msr < 0x900; ++msr)
        CHECK_MESSAGE(machine.apics.read(1, msr, 0).has_value() == there.contains(msr), msr);
    CHECK(machine.get(0x802, 3) == 3);
    CHECK(machine.get(0x80d, 3) == 8);
    CHECK(machine.get(0x803) == 0x5'0014);
    for (const auto& [msr, value] : {std::pair<u32, u64>{0x808, 0x100},
                                     {0x80b, 1},
                                     {0x80f, 0x400},
                                     {0x828, 1},
                                     {0x832, 0x6'0000},
                                     {0x835, 0x2'0000},
                                     {0x837, 0x700},
                                     {0x83e, 4},
                                     {0x838, u64{1} << 32},
                                     {0x830, 1 << 13},
                                     {0x83f, 0x100},
                                     {0x802, 0},
                                     {0x839, 0},
                                     {0x820, 0}})
        CHECK_MESSAGE(!machine.set(msr, value), msr);
}

TEST_CASE("vmm: vectors are served by class, beside a model") {
    Random random(15);
    for (u32 round = 0; round < 100; ++round) {
        Machine machine;
        LocalApic& apic = machine.apics[0];
        std::set<u32> asked;
        std::vector<u32> served;
        u32 priority = 0;
        for (u32 step = 0; step < 300; ++step) {
            switch (random.below(4)) {
                case 0: {
                    const u32 vector = static_cast<u32>(random.between(16, 255));
                    REQUIRE(machine.set(0x83f, vector));
                    asked.insert(vector);
                    break;
                }
                case 1:
                    priority = static_cast<u32>(random.below(256));
                    if (random.one_in(2)) priority = 0;
                    REQUIRE(machine.set(0x808, priority));
                    REQUIRE(apic.cr8() == priority >> 4);
                    break;
                case 2:
                    REQUIRE(machine.set(0x80b, 0));
                    if (!served.empty()) served.erase(std::max_element(served.begin(), served.end()));
                    break;
                default:
                    if (apic.pending()) {
                        REQUIRE(apic.acknowledge() == *asked.rbegin());
                        served.push_back(*asked.rbegin());
                        asked.erase(*asked.rbegin());
                    }
            }
            const u32 serving = served.empty() ? 0 : *std::max_element(served.begin(), served.end());
            const u32 most = asked.empty() ? 0 : *asked.rbegin();
            REQUIRE(apic.pending() == (most >> 4 > std::max(serving, priority) >> 4));
        }
        for (u32 vector = 0; vector < 256; ++vector)
            REQUIRE((machine.get(0x820 + vector / 32) >> vector % 32 & 1) == asked.contains(vector));
    }
}

TEST_CASE("vmm: timers fire once, again and again, or at a value of the TSC") {
    Machine machine;
    LocalApic& apic = machine.apics[0];
    REQUIRE(machine.set(0x83e, 3));  // by 16
    REQUIRE(machine.set(0x832, 0x40));
    REQUIRE(machine.set(0x838, 1000));
    CHECK(apic.next_event() == 1000 + 16'000);
    machine.now = 9000;
    CHECK(machine.get(0x839) == 500);
    apic.advance(16'999);
    CHECK_FALSE(apic.pending());
    apic.advance(17'000);
    CHECK(apic.acknowledge() == 0x40);
    CHECK(apic.next_event() == kNever);
    machine.now = 17'000;
    CHECK(machine.get(0x839) == 0);
    REQUIRE(machine.set(0x80b, 0));

    REQUIRE(machine.set(0x832, 0x2'0041));
    REQUIRE(machine.set(0x838, 100));
    for (u64 i = 1; i < 50; ++i) {
        const u64 event = apic.next_event();
        REQUIRE(event == 17'000 + i * 1600);
        apic.advance(event);
        REQUIRE(apic.pending());
        REQUIRE(apic.acknowledge() == 0x41);
        REQUIRE(machine.set(0x80b, 0));
    }
    apic.advance(10'000'000);  // late by thousands: one
    CHECK(apic.acknowledge() == 0x41);
    CHECK_FALSE(apic.pending());
    CHECK(apic.next_event() > 10'000'000);
    CHECK(apic.next_event() <= 10'001'600);
    REQUIRE(machine.set(0x80b, 0));

    machine.now = 10'000'000;
    REQUIRE(machine.set(0x6e0, 12345));  // not in that mode: not looked at
    CHECK(machine.get(0x6e0) == 0);
    REQUIRE(machine.set(0x832, 0x4'0042));
    CHECK(apic.next_event() == kNever);
    REQUIRE(machine.set(0x838, 7));
    CHECK(machine.get(0x838) == 0);
    REQUIRE(machine.set(0x6e0, 50'000'000));  // of 2.5 GHz: 20 ms
    CHECK(machine.get(0x6e0) == 50'000'000);
    CHECK(apic.next_event() == 20'000'000);
    apic.advance(20'000'000);
    CHECK(apic.acknowledge() == 0x42);
    machine.now = 20'000'001;
    CHECK(machine.get(0x6e0) == 0);
    REQUIRE(machine.set(0x6e0, 1));  // long past: at once
    CHECK(apic.next_event() == machine.now);
    REQUIRE(machine.set(0x6e0, 0));
    CHECK(apic.next_event() == kNever);
    REQUIRE(machine.set(0x6e0, ~u64{0}));
    CHECK(apic.next_event() > machine.now);
}

TEST_CASE("vmm: CPUs interrupt, stop and start each other") {
    Machine machine;
    Apics& apics = machine.apics;
    CHECK(apics.runs(0));
    CHECK_FALSE(apics.runs(1));
    CHECK_FALSE(apics.take_startup(1));
    REQUIRE(machine.set(0x830, u64{1} << 32 | 0xc500));  // INIT, level up
    CHECK(apics.take_init(1));
    CHECK_FALSE(apics.take_init(1));
    REQUIRE(machine.set(0x830, u64{1} << 32 | 0x8500));  // and down: nothing
    CHECK_FALSE(apics.take_init(1));
    REQUIRE(machine.set(0x830, u64{1} << 32 | 0x0699));
    CHECK(apics.unanswered() == 2);
    CHECK(apics.starting() == 2);
    CHECK(apics.take_startup(1) == 0x99);
    CHECK(apics.starting() == 0);
    CHECK(apics.runs(1));
    REQUIRE(machine.set(0x830, u64{1} << 32 | 0x0698));  // it runs: a second one is nothing
    CHECK_FALSE(apics.take_startup(1));
    CHECK(apics.unanswered() == 0);
    // INIT switched its APIC off.
    REQUIRE(machine.set(0x80f, 0x1ff, 1));

    const auto pending = [&] {
        u32 set = 0;
        for (u32 cpu = 0; cpu < 4; ++cpu) {
            if (!apics[cpu].pending()) continue;
            set |= 1u << cpu;
            apics[cpu].acknowledge();
            machine.set(0x80b, 0, cpu);
        }
        return set;
    };
    for (const auto& [command, expected] : {std::pair<u64, u32>{u64{2} << 32 | 0x41, 4},
                                            {u64{9} << 32 | 0x41, 0},
                                            {u64{0xffff'ffff} << 32 | 0x41, 15},
                                            {0x4'0041, 1},
                                            {0x8'0041, 15},
                                            {0xc'0041, 14},
                                            {u64{0xa} << 32 | 0x841, 10},
                                            {u64{0x1'000a} << 32 | 0x841, 0},
                                            {u64{0xc} << 32 | 0x941, 4}}) {
        REQUIRE(machine.set(0x830, command));
        CHECK(machine.get(0x830) == command);
        CHECK(pending() == expected);
    }
    REQUIRE(machine.set(0x830, u64{3} << 32 | 0x400));
    CHECK(apics.take_nmi(3));
    CHECK_FALSE(apics.take_nmi(3));
    // A vector below 16 is an error, which has a vector of its own.
    REQUIRE(machine.set(0x837, 0x55));
    REQUIRE(machine.set(0x830, 0x4'0001));
    CHECK(apics[0].acknowledge() == 0x55);
    REQUIRE(machine.set(0x828, 0));
    CHECK(machine.get(0x828) == 0x20);
    REQUIRE(machine.set(0x837, 3));  // which may be an illegal one as well
    REQUIRE(machine.set(0x83f, 2));
    REQUIRE(machine.set(0x828, 0));
    CHECK(machine.get(0x828) == 0x40);
    // Switched off by software, it takes nothing but what the 8259 pair sends through LINT0 (x2apic.cpp says why).
    REQUIRE(machine.set(0x80f, 0xff));
    CHECK(machine.get(0x835) == 0x700);
    CHECK((machine.get(0x836) & 0x1'0000) == 0x1'0000);
    CHECK(apics[0].accepts_external());
    REQUIRE(machine.set(0x83f, 0x41));
    REQUIRE(machine.set(0x80f, 0x1ee));
    CHECK_FALSE(apics[0].pending());
    CHECK(apics[0].acknowledge() == 0xee);  // spurious: nothing is in service for it
    CHECK(machine.get(0x817) == 0);
}

TEST_CASE("vmm: the table of CPUs adds up") {
    for (u32 cpus = 1; cpus <= kMaxGuestCpus; ++cpus) {
        TestMemory memory(256);
        REQUIRE(write_mp_table(memory, cpus));
        const auto sum = [&](u64 from, u64 length) {
            u32 total = 0;
            for (u64 i = 0; i < length; ++i) total += memory.read<u8>(from + i).value();
            return total & 0xff;
        };
        REQUIRE(memory.read<u32>(kMpTable) == 0x5f50'4d5f);
        CHECK(sum(kMpTable, 16) == 0);
        const u64 table = memory.read<u32>(kMpTable + 4).value();
        REQUIRE(memory.read<u32>(table) == 0x504d'4350);
        const u64 length = memory.read<u16>(table + 4).value();
        CHECK(sum(table, length) == 0);
        CHECK(table + length <= 0xa'0000);
        // Entries are 20 bytes for CPUs and 8 for everything else; they end where the table does.
        u64 at = table + 44, found = 0;
        const u32 entries = memory.read<u16>(table + 34).value();
        for (u32 i = 0; i < entries; ++i) {
            const bool cpu = memory.read<u8>(at) == 0;
            if (cpu) CHECK(memory.read<u8>(at + 1) == found);
            if (cpu) CHECK(memory.read<u8>(at + 3) == (found == 0 ? 3 : 1));
            found += cpu;
            at += cpu ? 20 : 8;
        }
        CHECK(found == cpus);
        CHECK(at == table + length);
    }
    TestMemory small(100), whole(256);
    CHECK_FALSE(write_mp_table(small, 2));
    CHECK_FALSE(write_mp_table(whole, 9));
    CHECK_FALSE(write_mp_table(whole, 0));
}

TEST_CASE("vmm: CPUID") {
    const CpuidResult vendor = cpuid(0, 0, 0, 1);
    CHECK(vendor.eax == 1);
    std::string name(reinterpret_cast<const char*>(&vendor.ebx), 4);
    name.append(reinterpret_cast<const char*>(&vendor.edx), 4).append(reinterpret_cast<const char*>(&vendor.ecx), 4);
    CHECK(name == "TesseraGuest");
    // What 64-bit Linux insists on.
    CHECK((cpuid(1, 0, 0, 1).edx & 0x0700'a179) == 0x0700'a179);
    CHECK((cpuid(0x8000'0001, 0, 0, 1).edx >> 29 & 1) == 1);
    CHECK((cpuid(1, 0, 0, 1).edx >> 9 & 1) == 0);
    CHECK(cpuid(0x4000'0000, 0, 0, 1) == CpuidResult{});
    CHECK(cpuid(7, 0, 0, 1) == CpuidResult{});
    const CpuidResult third = cpuid(1, 0, 3, 4);
    CHECK((third.ebx >> 24) == 3);
    CHECK((third.ebx >> 16 & 0xff) == 4);
    CHECK((third.edx >> 9 & 1) == 1);
    CHECK((third.ecx >> 21 & 1) == 1);
    CHECK((third.ecx >> 24 & 1) == 1);
    CHECK(cpuid(0x4000'0000, 0, 0, 2).ebx == 0x4b4d'564b);
    CHECK(cpuid(0x4000'0001, 0, 0, 2) == CpuidResult{});
}

TEST_CASE("vmm: MSRs hold what they may, and the others are not there") {
    Msrs msrs;
    const std::set<u32> there = {0x174,       0x175,       0x176,       0x277,       0xc000'0080, 0xc000'0081,
                                 0xc000'0082, 0xc000'0083, 0xc000'0084, 0xc000'0100, 0xc000'0101, 0xc000'0102};
    for (const u32 base : {0u, 0xc000'0000u, 0xc001'0000u})
        for (u32 i = 0; i < 0x1000; ++i) {
            REQUIRE(msrs.read(base + i).has_value() == there.contains(base + i));
            if (!there.contains(base + i)) REQUIRE_FALSE(msrs.write(base + i, 0, false));
        }
    for (const u32 msr : {0x175u, 0x176u, 0xc000'0082u, 0xc000'0083u, 0xc000'0100u, 0xc000'0101u, 0xc000'0102u}) {
        CHECK_FALSE(msrs.write(msr, u64{1} << 47, false));
        CHECK_FALSE(msrs.write(msr, u64{1} << 63, false));
        CHECK(msrs.write(msr, ~u64{0} << 47, false));
        CHECK(msrs.read(msr) == ~u64{0} << 47);
    }
    CHECK_FALSE(msrs.write(0x277, 2, false));
    CHECK_FALSE(msrs.write(0x277, u64{8} << 56, false));
    CHECK(msrs.write(0x277, 0x0001'0405'0607'0600, false));
    CHECK(msrs.write(0xc000'0080, 0x901, false));
    CHECK(msrs.read(0xc000'0080) == 0x901);
    CHECK(msrs.write(0xc000'0080, 0x901, true));
    CHECK(msrs.read(0xc000'0080) == 0xd01);
    CHECK_FALSE(msrs.write(0xc000'0080, 0x801, true));
    CHECK_FALSE(msrs.write(0xc000'0080, 0x1901, false));  // SVME is not a guest's
}
