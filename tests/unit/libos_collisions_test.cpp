// Which sequences of faults mean that two pages keep displacing each other, and which do not.
#include <doctest/doctest.h>

#include "libos/core/collisions.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {
constexpr VirtAddr at(u64 page) { return {page << kPageShift}; }
}  // namespace

TEST_CASE("libos: pages that displace each other are told from pages that come in turn") {
    SUBCASE("one instruction, two pages") {
        RecentFaults faults;
        CHECK_FALSE(faults.comes_again(0x1000, at(5)));
        CHECK_FALSE(faults.comes_again(0x1000, at(133)));
        CHECK(faults.comes_again(0x1000, at(5)));
    }
    SUBCASE("a nested fault between") {
        RecentFaults faults;
        CHECK_FALSE(faults.comes_again(0x1000, at(5)));
        CHECK_FALSE(faults.comes_again(0x7000, at(9)));
        CHECK_FALSE(faults.comes_again(0x1000, at(133)));
        CHECK(faults.comes_again(0x1000, at(5)));
    }
    SUBCASE("a sweep, and the same page again and again") {
        RecentFaults faults;
        for (u64 page = 1; page < 100; ++page) CHECK_FALSE(faults.comes_again(0x1000, at(page)));
        for (u64 i = 0; i < 10; ++i) CHECK_FALSE(faults.comes_again(0x2000, at(7)));
    }
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
