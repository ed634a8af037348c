#include "libos/vmm/monitor/processor.hpp"

#include "libos/core/program.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

Outcome Processor::open() {
    TRY(cpu_.open(GuestForm::svm));
    // CPUID and HLT are for the monitor to answer; what a monitor's guest must not find, it must not be able to use.
    cpu_.state().intercept_instructions = intercept(GuestExit::cpuid) | intercept(GuestExit::hlt) | intercept(GuestExit::rdtscp) |
                                          intercept(GuestExit::monitor) | intercept(GuestExit::mwait);
    return machine_.paging().attach(cpu_);
}

// Devices have their time first: an interrupt that is due is delivered before the guest goes on.  Hot.
void Processor::deliver() {
    Board& board = machine_.board();
    if (!board.interrupt_pending(index_)) [[likely]] {
        cpu_.want_window(false);
        return;
    }
    halted_ = false;
    if (!cpu_.is_open()) return cpu_.want_window(true);
    cpu_.interrupt(board.acknowledge(index_));
    cpu_.want_window(board.interrupt_pending(index_));
}

Turn Processor::run(u64 until) {
    Board& board = machine_.board();
    now_ = ticks();
    while (machine_.is_running()) {
        const u64 nanoseconds = machine_.clock().nanoseconds(now_);
        if (nanoseconds >= board.next_event()) board.advance(nanoseconds);
        deliver();
        if (halted_) return Turn::idle;
        if (now_ >= until) return Turn::over;

        const u64 begin = ticks();
        const auto exit = cpu_.run(machine_.paging().place(cpu_));
        const u64 end = ticks();
        exits_.add_times(end - begin, begin - now_);
        now_ = end;
        if (!exit.ok()) [[unlikely]] {
            fail("the kernel refuses the virtual CPU's state", static_cast<u64>(exit.error()));
            break;
        }
        exits_.count(exit.value(), cpu_.state());
        cpu_.keep_event();
        handle(exit.value());
    }
    return Turn::ended;
}

}  // namespace tessera::vmm
