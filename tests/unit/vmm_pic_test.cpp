// The 8259 pair: what drivers do with it, and random use beside a model that keeps lists instead of bits.
#include <doctest/doctest.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "libos/vmm/devices/pic.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::vmm;
using tessera::test::Random;

namespace {

constexpr u16 kLevelLines = 1 << 10 | 1 << 11;

/// As Linux does it: vectors from 0x30 on, second chip on line 2, everything unmasked.
void initialize(Pic& pic, u32 icw4 = 1) {
    for (const auto& [port, value] : {std::pair<u16, u32>{0x20, 0x11},
                                      {0x21, 0x30},
                                      {0x21, 4},
                                      {0x21, icw4},
                                      {0x21, 0},
                                      {0xa0, 0x11},
                                      {0xa1, 0x38},
                                      {0xa1, 2},
                                      {0xa1, icw4},
                                      {0xa1, 0}})
        pic.write(port, 1, value);
}

u32 register_of(Pic& pic, u16 port, bool service) {
    pic.write(port, 1, service ? 0x0b : 0x0a);
    return pic.read(port, 1);
}

}  // namespace

TEST_CASE("vmm: an 8259 that nobody has initialised interrupts nobody") {
    Pic pic(kLevelLines);
    for (u32 irq = 0; irq < 16; ++irq) pic.set_line(irq, true);
    CHECK_FALSE(pic.pending());
}

TEST_CASE("vmm: 8259 requests go by urgency, and wait for the end of what is in service") {
    Pic pic(kLevelLines);
    initialize(pic);
    pic.set_line(4, true);
    pic.set_line(1, true);
    CHECK(pic.pending());
    CHECK(pic.acknowledge() == 0x31);
    CHECK_FALSE(pic.pending());  // 4 waits behind 1
    pic.set_line(0, true);
    CHECK(pic.acknowledge() == 0x30);
    CHECK(register_of(pic, 0x20, true) == 3);
    pic.write(0x20, 1, 0x20);
    CHECK_FALSE(pic.pending());
    pic.write(0x20, 1, 0x61);  // specific: 1
    CHECK(pic.acknowledge() == 0x34);
    pic.write(0x20, 1, 0x20);
    // An edge counts once.
    CHECK_FALSE(pic.pending());
    pic.set_line(4, true);
    CHECK_FALSE(pic.pending());
    pic.set_line(4, false);
    pic.set_line(4, true);
    CHECK(pic.pending());
}

TEST_CASE("vmm: a level-triggered line asks until it drops") {
    Pic pic(kLevelLines);
    initialize(pic);
    CHECK(pic.read(0x4d1, 1) == 0x0c);
    pic.set_line(11, true);
    CHECK(pic.acknowledge() == 0x3b);
    CHECK_FALSE(pic.pending());
    pic.write(0xa0, 1, 0x20);
    pic.write(0x20, 1, 0x20);
    CHECK(pic.acknowledge() == 0x3b);
    pic.set_line(11, false);
    pic.write(0xa0, 1, 0x20);
    pic.write(0x20, 1, 0x20);
    CHECK_FALSE(pic.pending());
    // Lines of devices that know only edges cannot be made level-triggered.
    pic.write(0x4d0, 1, 0xff);
    CHECK(pic.read(0x4d0, 1) == 0xf8);
}

TEST_CASE("vmm: a request that is gone is spurious, with nothing in service") {
    Pic pic(kLevelLines);
    initialize(pic);
    pic.set_line(5, true);
    pic.set_line(5, false);
    CHECK_FALSE(pic.pending());
    CHECK(pic.acknowledge() == 0x37);
    CHECK(register_of(pic, 0x20, true) == 0);
    // Of the second chip: the first one has its line in service, and wants its end of interrupt.
    pic.set_line(10, true);
    pic.write(0xa0, 1, 0x0c);  // poll: the second chip's request is taken behind the first one's back
    CHECK(pic.read(0xa0, 1) == 0x82);
    CHECK_FALSE(pic.pending());
}

TEST_CASE("vmm: the special modes of the 8259") {
    Pic pic(kLevelLines);
    initialize(pic, 3);  // automatic end of interrupt
    pic.set_line(3, true);
    CHECK(pic.acknowledge() == 0x33);
    CHECK(register_of(pic, 0x20, true) == 0);

    initialize(pic);
    pic.write(0x20, 1, 0xc3);  // 3 is the least urgent: 4 is the most
    pic.set_line(0, true);
    pic.set_line(4, true);
    CHECK(pic.acknowledge() == 0x34);
    pic.write(0x20, 1, 0xa0);  // rotate on end: now 4 is the least
    CHECK(pic.acknowledge() == 0x30);

    initialize(pic);
    pic.set_line(1, false);
    pic.set_line(1, true);
    CHECK(pic.acknowledge() == 0x31);
    pic.set_line(6, true);
    CHECK_FALSE(pic.pending());
    pic.write(0x21, 1, 2);  // masked, and special mask mode: 1 holds nobody back
    pic.write(0x20, 1, 0x68);
    CHECK(pic.acknowledge() == 0x36);
}

namespace {

/// One chip by the book, with lists: who asks, who is served, in which order they come.
struct Model {
    bool level[8]{}, line[8]{}, asks[8]{}, masked[8]{};
    std::vector<u32> served, order{0, 1, 2, 3, 4, 5, 6, 7};

    u32 place(u32 which) const {
        return static_cast<u32>(std::find(order.begin(), order.end(), which) - order.begin());
    }
    std::optional<u32> next() const {
        for (const u32 which : order) {
            for (const u32 each : served)
                if (place(each) <= place(which)) return {};
            if (asks[which] && !masked[which]) return which;
        }
        return {};
    }
    void set(u32 which, bool up) {
        if (up && (!line[which] || level[which])) asks[which] = true;
        if (!up) asks[which] = false;
        line[which] = up;
    }
    void serve(u32 which) {
        served.push_back(which);
        if (!level[which]) asks[which] = false;
    }
    std::optional<u32> most_urgent_served() const {
        for (const u32 which : order)
            if (std::find(served.begin(), served.end(), which) != served.end()) return which;
        return {};
    }
    void end(std::optional<u32> which, bool rotate) {
        if (!which) return;
        std::erase(served, *which);
        if (!rotate) return;
        while (order.back() != *which) std::rotate(order.begin(), order.begin() + 1, order.end());
    }
};

}  // namespace

TEST_CASE("vmm: one 8259 beside a model, at random") {
    Random random(7);
    for (u32 round = 0; round < 200; ++round) {
        PicChip chip(true);
        const u8 level = static_cast<u8>(random.next()) & 0xf8;
        Model model;
        chip.set_level_triggered(level);
        for (u32 i = 0; i < 8; ++i) model.level[i] = level >> i & 1;
        for (const u32 word : {0x11, 0x40, 4, 1}) chip.write(word != 0x11, static_cast<u8>(word));
        for (u32 step = 0; step < 400; ++step) {
            const u32 line = static_cast<u32>(random.below(8));
            switch (random.below(6)) {
                case 0:
                case 1: {
                    const bool up = random.one_in(2);
                    chip.set_line(line, up);
                    model.set(line, up);
                    break;
                }
                case 2: {
                    const u8 mask = static_cast<u8>(random.next() & random.next());
                    chip.write(true, mask);
                    for (u32 i = 0; i < 8; ++i) model.masked[i] = mask >> i & 1;
                    break;
                }
                case 3:
                    if (const auto next = model.next()) {
                        REQUIRE(chip.acknowledge() == *next);
                        model.serve(*next);
                    } else {
                        REQUIRE(chip.acknowledge() == 7);
                    }
                    break;
                case 4: {
                    const bool rotate = random.one_in(3);
                    chip.write(false, rotate ? 0xa0 : 0x20);
                    model.end(model.most_urgent_served(), rotate);
                    break;
                }
                default: {
                    const bool rotate = random.one_in(3);
                    chip.write(false, static_cast<u8>((rotate ? 0xe0 : 0x60) | line));
                    model.end(line, rotate);
                }
            }
            REQUIRE(chip.pending() == model.next().has_value());
        }
    }
}

TEST_CASE("vmm: everything that the second chip is asked reaches the CPU once") {
    Random random(8);
    Pic pic(0);
    initialize(pic);
    for (u32 round = 0; round < 2000; ++round) {
        const u32 irq = static_cast<u32>(random.below(16));
        if (irq == 2) continue;
        pic.set_line(irq, true);
        REQUIRE(pic.pending());
        REQUIRE(pic.acknowledge() == 0x30 + irq);
        REQUIRE_FALSE(pic.pending());
        pic.set_line(irq, false);
        if (irq >= 8) pic.write(0xa0, 1, 0x20);
        pic.write(0x20, 1, 0x20);
        REQUIRE_FALSE(pic.pending());
    }
}
