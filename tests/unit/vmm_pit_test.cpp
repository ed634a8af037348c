// The 8254 beside a model that really ticks, and the clock of the PC beside the C library's calendar.
#include <doctest/doctest.h>

#include <ctime>
#include <initializer_list>
#include <utility>

#include "libos/vmm/devices/bcd.hpp"
#include "libos/vmm/devices/cmos.hpp"
#include "libos/vmm/devices/pit.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::vmm;
using tessera::test::Random;

TEST_CASE("vmm: ticks and nanoseconds are exact both ways") {
    Random random(3);
    for (u32 i = 0; i < 20'000; ++i) {
        const u64 rate = random.one_in(2) ? kPitFrequency : random.between(1000, u64{1} << 33);
        const u64 ticks = random.next() >> random.between(24, 60);
        const u64 at = time_of(ticks, rate);
        if (at == kNever) continue;
        REQUIRE(ticks_at(at, rate) >= ticks);
        if (at != 0) REQUIRE(ticks_at(at - 1, rate) < (ticks == 0 ? 1 : ticks));
    }
    CHECK(time_of(~u64{0}, 1000) == kNever);
}

namespace {

/// A counter as the datasheet tells it, tick by tick.
struct Ticking {
    u32 mode = 0, count = 0, left = 0;
    bool gate = true, loaded = false, running = false, out = false;

    void set_mode(u32 value) {
        mode = value;
        loaded = running = false;
        out = mode != 0;
    }
    void start() {
        left = count;
        running = true;
        out = mode != 0 && mode != 1;
    }
    void load(u32 value) {
        count = value;
        loaded = true;
        if (mode != 1 && mode != 5) start();
    }
    void set_gate(bool value) {
        const bool rises = value && !gate;
        gate = value;
        if (!gate && (mode == 2 || mode == 3)) out = true;
        if (rises && loaded && mode != 0 && mode != 4) start();
    }
    void tick() {
        if (!running || (!gate && mode != 1 && mode != 5)) return;
        left = left == 0 ? 0xffff : left - 1;
        const u32 done = count - left;
        switch (mode) {
            case 0:
            case 1:
                if (left == 0) out = true;
                break;
            case 2:
                out = left != 1;
                if (left == 0) start();
                break;
            case 3:
                if (left == 0)
                    start();
                else
                    out = done < (count + 1) / 2;
                break;
            default:
                out = left != 0;
        }
    }
};

}  // namespace

TEST_CASE("vmm: an 8254 channel beside one that ticks") {
    Random random(4);
    for (u32 round = 0; round < 300; ++round) {
        PitChannel channel;
        Ticking model;
        const u32 mode = static_cast<u32>(random.below(6)), count = static_cast<u32>(random.between(2, 300));
        u64 now = random.below(1000);
        channel.set_mode(static_cast<u8>(0x30 | mode << 1), now);
        model.set_mode(mode);
        channel.write(static_cast<u8>(count), now);
        channel.write(static_cast<u8>(count >> 8), now);
        model.load(count);
        u64 expected_rise = channel.next_rise(now);
        for (u32 step = 0; step < 1500; ++step) {
            REQUIRE(channel.out(now) == model.out);
            if (mode != 3 && model.running && model.left != 0) {
                channel.latch(true, false, now);
                const u32 low = channel.read(now), high = channel.read(now);
                REQUIRE((high << 8 | low) == model.left);
            }
            if (random.one_in(200)) {
                const bool gate = !channel.gate();
                channel.set_gate(gate, now);
                model.set_gate(gate);
                expected_rise = channel.next_rise(now);
                REQUIRE(channel.out(now) == model.out);
            }
            const bool before = model.out;
            model.tick();
            ++now;
            // What was foretold is when it rises, and it rises at no other time.
            REQUIRE((model.out && !before) == (now == expected_rise));
            if (now == expected_rise) expected_rise = channel.next_rise(now);
        }
    }
}

TEST_CASE("vmm: the 8254 interrupts when it says that it will") {
    Random random(5);
    for (const u32 mode : {0, 2, 3, 4}) {
        Pic pic(0);
        for (const auto& [port, value] :
             {std::pair<u16, u32>{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, 3}, {0x21, 0}})
            pic.write(port, 1, value);
        Pit pit(pic);
        CHECK(pit.next_event() == kNever);
        pit.advance(12'345);
        pit.write(0x43, 1, 0x30 | mode << 1);
        if (pic.pending()) pic.acknowledge();  // OUT goes up with the mode, but for mode 0
        constexpr u32 kCount = 4773;           // 4 ms, about: what Linux asks for
        pit.write(0x40, 1, kCount & 0xff);
        pit.write(0x40, 1, kCount >> 8);
        REQUIRE_FALSE(pic.pending());
        u64 last = 12'345;
        u32 interrupts = 0;
        for (u32 i = 0; i < 50 && pit.next_event() != kNever; ++i) {
            const u64 event = pit.next_event();
            REQUIRE(event > last);
            pit.advance(last + random.below(event - last));
            REQUIRE_FALSE(pic.pending());
            pit.advance(event);
            REQUIRE(pic.pending());
            CHECK(pic.acknowledge() == 0x20);
            ++interrupts;
            const u64 expected = kCount * u64{1'000'000'000} / kPitFrequency;
            if (interrupts > 1) CHECK(event - last <= expected + 1);
            if (interrupts > 1) CHECK(event - last >= expected - 1);
            last = event;
        }
        CHECK(interrupts == (mode == 2 || mode == 3 ? 50 : 1));
        // However late: one interrupt.
        pit.advance(last + 1'000'000'000);
        CHECK(pic.pending() == (mode == 2 || mode == 3));
        if (pic.pending()) pic.acknowledge();
        CHECK_FALSE(pic.pending());
    }
}

TEST_CASE("vmm: port 61 measures time by channel 2, as kernels calibrate by it") {
    Pic pic(0);
    Pit pit(pic);
    pit.write(0x61, 1, 1);
    pit.write(0x43, 1, 0xb0);  // channel 2, mode 0
    pit.write(0x42, 1, 0x9c);
    pit.write(0x42, 1, 0x2e);  // 11932: 10 ms
    CHECK((pit.read(0x61, 1) & 0x20) == 0);
    pit.advance(9'990'000);
    CHECK((pit.read(0x61, 1) & 0x20) == 0);
    pit.advance(10'010'000);
    CHECK((pit.read(0x61, 1) & 0x23) == 0x21);
    // Halted by its gate, it goes on from where it stood.
    pit.write(0x43, 1, 0xb0);
    pit.write(0x42, 1, 0xff);
    pit.write(0x42, 1, 0xff);
    pit.write(0x61, 1, 0);
    pit.advance(40'000'000);
    pit.write(0x43, 1, 0xe8);  // read back: status and count of channel 2
    pit.write(0x43, 1, 0xc8);
    CHECK(pit.read(0x42, 1) == 0x30);
    CHECK(pit.read(0x42, 1) == 0xff);
    CHECK(pit.read(0x42, 1) == 0xff);
}

TEST_CASE("vmm: decimal digits in the 8254 and out of it") {
    for (u32 i = 0; i < 10'000; ++i) REQUIRE(from_bcd(to_bcd(i)) == i);
    PitChannel channel;
    channel.set_mode(0x31, 0);
    channel.write(0, 0);
    channel.write(0, 0);  // 10000
    CHECK(channel.read(1) == 0x99);
    CHECK(channel.read(1) == 0x99);
    CHECK(channel.next_rise(1) == 10'000);
}

TEST_CASE("vmm: the clock shows the date") {
    Random random(6);
    for (u32 i = 0; i < 5000; ++i) {
        const u64 made = random.below(u64{8'000} * 365 * 86'400), later = random.below(400 * 86'400);
        Cmos cmos(made);
        cmos.advance(later * 1'000'000'000 + random.below(1'000'000'000));
        const std::time_t time = static_cast<std::time_t>(made + later);
        std::tm date{};
        gmtime_r(&time, &date);
        const auto at = [&](u32 place) {
            cmos.write(0x70, 1, place);
            return from_bcd(cmos.read(0x71, 1));
        };
        REQUIRE(at(0) == static_cast<u32>(date.tm_sec));
        REQUIRE(at(2) == static_cast<u32>(date.tm_min));
        REQUIRE(at(4) == static_cast<u32>(date.tm_hour));
        REQUIRE(at(6) == static_cast<u32>(date.tm_wday) + 1);
        REQUIRE(at(7) == static_cast<u32>(date.tm_mday));
        REQUIRE(at(8) == static_cast<u32>(date.tm_mon) + 1);
        REQUIRE(at(0x32) * 100 + at(9) == static_cast<u32>(date.tm_year) + 1900);
    }
}

TEST_CASE("vmm: the clock's registers, and memory beside them") {
    Cmos cmos(59);
    const auto read = [&](u32 place) {
        cmos.write(0x70, 1, place | 0x80);
        return cmos.read(0x71, 1);
    };
    CHECK(read(10) == 0x26);
    CHECK(read(11) == 2);
    CHECK(read(13) == 0x80);
    CHECK(read(0) == 0x59);
    cmos.write(0x70, 1, 11);
    cmos.write(0x71, 1, 0xff);  // binary; but no interrupts
    CHECK(read(11) == 6);
    CHECK(read(0) == 59);
    cmos.write(0x70, 1, 0);
    cmos.write(0x71, 1, 1);  // cannot be set
    CHECK(read(0) == 59);
    cmos.write(0x70, 1, 0x40);
    cmos.write(0x71, 1, 0xa5);
    CHECK(read(0x40) == 0xa5);
    CHECK(cmos.read(0x70, 1) == 0xff);
}
