// The guest's time, out of a time-stamp counter that need not be the same on each CPU.
#include <doctest/doctest.h>

#include <initializer_list>

#include "libos/vmm/devices/apic_timer.hpp"
#include "libos/vmm/monitor/clock.hpp"

using namespace tessera;
using namespace tessera::vmm;

TEST_CASE("vmm: a guest's clock does not begin before its machine, whichever CPU asks") {
    constexpr u64 kBegin = u64{1} << 40;
    for (const u64 hz : {u64{1'000'000'000}, u64{2'399'999'999}, u64{16'000'000'000}}) {
        const Clock clock(hz, kBegin);
        CHECK(clock.nanoseconds(kBegin) == 0);
        CHECK(clock.nanoseconds(kBegin - 1) == 0);
        CHECK(clock.nanoseconds(0) == 0);
        for (const u64 at : {u64{1}, u64{999}, u64{1'000'000'007}, u64{86'400'000'000'000}}) {
            const u64 again = clock.nanoseconds(clock.tsc_at(at)), off = 2 + (at >> 24);
            CHECK(again + off >= at);
            CHECK(again <= at + off);
        }
        CHECK(clock.tsc_at(~u64{0}) == Clock::kNever);
    }
}

TEST_CASE("vmm: a deadline is where the guest's clock says that it is, on its first day and later") {
    for (const u64 hz : {u64{1'000'000'000}, u64{2'399'999'999}, u64{2'700'000'501}, u64{7'999'999'999}}) {
        const Clock clock(hz, 0);
        for (const u64 days : {1, 30}) {
            const u64 tsc = days * 86'400 * hz;
            ApicTimer timer(hz);
            timer.set_mode(ApicTimer::Mode::deadline);
            timer.set_deadline(tsc, 0);
            const u64 now = clock.nanoseconds(tsc), off = now >> 28;  // what the clock's one multiplication costs
            CHECK(timer.next_event() + off >= now);
            CHECK(timer.next_event() <= now + off);
        }
    }
}
