// How the program is made to do it: where it would go on, it goes to libos_to_safe_point first.
#include "libos/core/safe_point.hpp"

#include "libos/core/preemption.hpp"
#include "libos/core/upcalls.hpp"

extern "C" {
/// Pairs of addresses in upcall.S: from the first up to the second the interrupted program's rip stands at rsp. Zero ends them.
extern const tessera::u64 libos_resumes[];
/// Where the program goes on afterwards; 0: nothing is arranged.
tessera::u64 libos_program_rip;
void libos_to_safe_point();
void libos_safe_point();
}

namespace tessera::libos {
namespace {

using Work = void (*)();
constinit volatile Work the_work = nullptr;
constinit volatile bool wanted = false, working = false;
constinit Work other_give_way = nullptr;

bool is_resuming(u64 rip) {
    for (const u64* pair = libos_resumes; pair[0] != 0; pair += 2)
        if (rip >= pair[0] && rip <= pair[1]) return true;
    return false;
}

/// Where the program's rip stands. The outermost record has it; but the end of the handler that resumes from that record may have
/// read it already, and then it is in the frame that it is about to return by.
u64& program_rip(SaveRecord& record) {
    const auto depth = static_cast<u64>(&record - libos_save_area.record);
    if (depth <= 1 && is_resuming(record.rip)) return *reinterpret_cast<u64*>(record.rsp);
    return libos_save_area.record[0].rip;
}

// Order: `working` is off before the guard ends, whose end may switch threads; `wanted` is looked at last, so that who came
// in between is not forgotten.
void work_now() {
    do {
        PagingWork guard;
        working = true;
        wanted = false;
        the_work();
        working = false;
    } while (wanted);
}

/// Preemption is held off no more: it is our turn, and then the turn of who schedules threads.
void after_hold() {
    const Work next = other_give_way;
    preemption.give_way = next;
    preemption.wanted = false;
    work_now();
    if (next != nullptr) next();
}

}  // namespace

void do_at_safe_point(SaveRecord& record, void (*work)()) {
    the_work = work;
    wanted = true;
    if (working || libos_program_rip != 0 || preemption.give_way == after_hold) return;
    u64& rip = program_rip(record);
    libos_program_rip = rip;
    rip = reinterpret_cast<u64>(libos_to_safe_point);
}

}  // namespace tessera::libos

void libos_safe_point() {
    using namespace tessera::libos;
    if (preemption.held == 0) return work_now();
    other_give_way = preemption.give_way;
    preemption.give_way = after_hold;
    preemption.wanted = true;
}
