// The end of a slice as the end of a thread's turn.
//
// The handler does not switch: it makes the interrupted thread call preempted() where it was interrupted.
// So everything of it is on its own stack, as of one that gave way by itself, and the upcall stack is empty.
#include "libos/threads/preempt.hpp"

#include "libos/core/preemption.hpp"
#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/core/upcalls.hpp"
#include "libos/threads/threads.hpp"

namespace tessera::libos {
namespace {

constinit u64 count = 0;
constinit u64 away = 0;  // ticks that others had

/// The kernel's switch: cpu_time() stands still meanwhile, and counts nothing twice when another comes in between.
[[LIBOS_HANDLER]] void end_slice() {
    const u64 left = cpu_time();
    enter_yield({});
    __atomic_fetch_add(&away, cpu_time() - left, __ATOMIC_RELAXED);  // one instruction
    slice_over = true;
}

void preempted() {
    {
        NoPreemption guard;
        end_slice();
    }
    if (ask_policy()) ++count;
}

// Nested, or in the scheduler or the heap: then only the kernel's switch; the policy is asked when that is done.
[[LIBOS_HANDLER]] void end_turn(SaveRecord& record) {
    if (preemption.held == 0 && !is_nested(record)) {
        redirect(record, preempted);
        return;
    }
    end_slice();
    if (preemption.held != 0) preemption.wanted = true;
}

void ask_later() { ask_policy(); }

}  // namespace

void preempt_threads() {
    preemption.give_way = ask_later;
    if (!set_handler<UpcallKind::slice_end, end_turn>().ok()) threads_stuck("no upcall at the end of a slice");
}

u64 preemptions() { return count; }

// Again when a slice ended between the two readings.
u64 cpu_time() {
    const volatile u64& others = away;
    for (;;) {
        const u64 before = others, now = ticks();
        if (others == before) return now - before;
    }
}

void threads_stuck(const char* reason) {
    print("fatal: ", reason, "\n");
    exit(kFatalExit);
}

}  // namespace tessera::libos
