// What a lock costs that nobody else wants, in instructions: acquire and release, by the one environment there is.
// One record a lock; bench/locks.py runs it. An atomic instruction counts 1, as any other.
#include "bench/system/sample.hpp"
#include "exokernel/locks/array_lock.hpp"
#include "exokernel/locks/counted.hpp"
#include "exokernel/locks/mcs.hpp"
#include "exokernel/locks/test_and_set.hpp"
#include "exokernel/locks/test_and_test_and_set.hpp"
#include "exokernel/locks/ticket.hpp"

using namespace tessera;
using namespace tessera::bench;

namespace {

template <locks::Lock L>
L lock_of{};

template <locks::Lock L>
void measure_lock(const char* name) {
    L& lock = lock_of<L>;
    measure(
        name, [](u64) {},
        [&lock](u64) {
            locks::Guard guard{lock};
            asm volatile("" : : : "memory");
            return done();
        });
    typename L::Node node;
    if (!lock.try_acquire(node)) give_up(name, "it was not given back");
    lock.release(node);
}

}  // namespace

int libos_main() {
    calibrate();
    measure_lock<locks::TestAndSetLock<>>("test_and_set");
    measure_lock<locks::BackoffLock<>>("test_and_set_backoff");
    measure_lock<locks::TestAndTestAndSetLock<>>("test_and_test_and_set");
    measure_lock<locks::TestAndTestAndSetLock<locks::CpuPause, locks::ExponentialDelay<>>>(
        "test_and_test_and_set_backoff");
    measure_lock<locks::TicketLock<>>("ticket");
    measure_lock<locks::TicketLock<locks::CpuPause, 8>>("ticket_backoff");
    measure_lock<locks::ArrayLock<4>>("array");
    measure_lock<locks::McsLock<>>("mcs");
    measure_lock<locks::Counted<locks::TestAndTestAndSetLock<>>>("test_and_test_and_set_counted");
    measure_lock<locks::Counted<locks::TicketLock<>>>("ticket_counted");
    measure_lock<locks::Counted<locks::TicketLock<>, locks::NoMeter>>("ticket_not_counted");
    measure_lock<locks::Counted<locks::McsLock<>>>("mcs_counted");
    return 0;
}
