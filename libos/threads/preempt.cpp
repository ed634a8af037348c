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

void preempted() {
    enter_yield({});
    ++count;
    give_way();
}

// Nested, or in the scheduler or the heap: then only the kernel's switch; the thread's comes when that is done.
[[LIBOS_HANDLER]] void end_turn(SaveRecord& record) {
    if (preemption.held == 0 && !is_nested(record)) {
        redirect(record, preempted);
        return;
    }
    preemption.wanted = preemption.held != 0;
    on_slice_end(record);
}

}  // namespace

void preempt_threads() {
    preemption.give_way = give_way;
    if (!set_handler<UpcallKind::slice_end, end_turn>().ok()) threads_stuck("no upcall at the end of a slice");
}

u64 preemptions() { return count; }

void threads_stuck(const char* reason) {
    print("fatal: ", reason, "\n");
    exit(kFatalExit);
}

}  // namespace tessera::libos
