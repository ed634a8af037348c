// Which sequences of faults mean that two pages keep displacing each other, and which do not.
#include <doctest/doctest.h>

#include "libos/core/collisions.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

struct Fault {
    u64 rip, page;
};

/// How many of `rounds` rounds of these faults, in an S-TLB of 128 entries, it takes until the watch finds a page that
/// is displaced; `rounds` when it finds none. `found` gets the page.
u64 rounds_until_found(std::initializer_list<Fault> faults, u64 rounds, u64& found) {
    CollisionWatch watch;
    for (u64 round = 0; round < rounds; ++round)
        for (const Fault& fault : faults)
            if (watch.is_due() && watch.finds(fault.rip, PageNumber{fault.page}, 128)) {
                found = fault.page;
                return round;
            }
    return rounds;
}

constexpr u64 kMany = 1000, kSoon = CollisionWatch::kBetween + CollisionWatch::kLooks;

}  // namespace

TEST_CASE("libos: pages that displace each other for ever are found soon") {
    u64 found = 0;
    SUBCASE("one instruction, two pages") {
        CHECK(rounds_until_found({{0x1000, 5}, {0x1000, 133}}, kMany, found) < kSoon);
        CHECK((found == 5 || found == 133));
    }
    SUBCASE("a fault of the handler's own in every round") {
        CHECK(rounds_until_found({{0x1000, 5}, {0x7000, 9}, {0x1000, 133}}, kMany, found) < kSoon);
    }
    SUBCASE("two pairs at once: an instruction that reads and writes across the ends of pages") {
        CHECK(rounds_until_found({{0x1000, 5}, {0x1000, 6}, {0x1000, 133}, {0x1000, 134}}, kMany, found) < kSoon);
    }
    SUBCASE("three pages") {
        CHECK(rounds_until_found({{0x1000, 5}, {0x1000, 133}, {0x1000, 261}}, kMany, found) < kSoon);
    }
}

TEST_CASE("libos: faults that come again for other reasons are left alone") {
    u64 found = 0;
    SUBCASE("the same page, dropped again and again") {
        CHECK(rounds_until_found({{0x2000, 7}}, kMany, found) == kMany);
    }
    SUBCASE("one instruction, two pages that have entries of their own: all is dropped in every slice") {
        CHECK(rounds_until_found({{0x1000, 5}, {0x1000, 6}}, kMany, found) == kMany);
    }
    SUBCASE("pages of one entry, but each has an instruction of its own: they get on") {
        CHECK(rounds_until_found({{0x1000, 5}, {0x2000, 133}}, kMany, found) == kMany);
    }
    SUBCASE("a sweep over more pages than there are entries") {
        CollisionWatch watch;
        for (u64 page = 1; page < 5000; ++page)
            if (watch.is_due()) CHECK_FALSE(watch.finds(0x1000, PageNumber{page % 1000}, 128));
    }
}

TEST_CASE("libos: most faults are only counted") {
    CollisionWatch watch;
    u64 due = 0;
    constexpr u64 kPeriods = 50, kPeriod = CollisionWatch::kBetween + CollisionWatch::kLooks - 1;
    for (u64 i = 0; i < kPeriods * kPeriod; ++i)
        if (watch.is_due()) {
            ++due;
            CHECK_FALSE(watch.finds(i, PageNumber{i}, 128));
        }
    CHECK(due == kPeriods * CollisionWatch::kLooks);
}

TEST_CASE("libos: an instruction that cannot get on is told from one that comes again") {
    Standstill standstill;
    SaveRecord record{};
    record.rip = 0x1000;
    u64 times = 0;
    while (!standstill.lasts(record)) ++times;
    CHECK(times == Standstill::kEnough);
    // Whatever register has changed: something was done.
    u64* const registers[] = {&record.rip, &record.rsp, &record.rax, &record.rcx, &record.rdx, &record.scratch[0], &record.scratch[5]};
    for (u64* each : registers)
        for (u64 i = 0; i < 2 * Standstill::kEnough; ++i) {
            *each ^= 0x1000;
            CHECK_FALSE(standstill.lasts(record));
        }
}

TEST_CASE("libos: who is displaced by whom") {
    CollisionWatch watch;
    for (u64 i = 0; i < CollisionWatch::kLooks; ++i) static_cast<void>(watch.finds(0x1000, PageNumber{i % 2 == 0 ? 5u : 133u}, 128));
    CHECK(watch.partner_of(PageNumber{5}, 128) == PageNumber{133});
    CHECK(watch.partner_of(PageNumber{133}, 128) == PageNumber{5});
    CHECK(watch.partner_of(PageNumber{6}, 128) == PageNumber{});
}

TEST_CASE("libos: a few pages are pinned at a time, the oldest goes first") {
    Pins pins;
    for (u64 page = 1; page <= Pins::kMaxPins; ++page) CHECK(pins.replace(PageNumber{page}).value == 0);
    CHECK(pins.replace(PageNumber{3}).value == 0);
    CHECK(pins.replace(PageNumber{100}).value == 1);
    CHECK(pins.replace(PageNumber{101}).value == 2);
    CHECK(pins.replace(PageNumber{100}).value == 0);
}

TEST_CASE("libos: an access says what the span must carry") {
    CHECK(span_flags_for(0) == 0);
    CHECK(span_flags_for(static_cast<u64>(AccessKind::write) | static_cast<u64>(AccessKind::user)) ==
          static_cast<u64>(SpanFlag::dirty));
    CHECK(span_flags_for(kPin) == static_cast<u64>(SpanFlag::guaranteed));
}
