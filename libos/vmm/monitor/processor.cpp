#include "libos/vmm/monitor/processor.hpp"

#include "libos/core/program.hpp"
#include "libos/vmm/boot/start.hpp"
#include "libos/vmm/monitor/guest_start.hpp"
#include "libos/vmm/monitor/report.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

Outcome Processor::open() {
    TRY(cpu_.open(GuestForm::svm));
    // CPUID and HLT are for the monitor to answer; what a monitor's guest must not find, it must not be able to use.
    cpu_.state().intercept_instructions = intercept(GuestExit::cpuid) | intercept(GuestExit::hlt) | intercept(GuestExit::rdtscp) |
                                          intercept(GuestExit::monitor) | intercept(GuestExit::mwait);
    // The guest's TSC begins with its time, on every CPU.
    cpu_.state().tsc_offset = ~machine_.clock().begin() + 1;
    return machine_.paging().attach(cpu_);
}

// Instructions that the machine does not have are #UD to the guest.  Hot: by how often they come.
[[gnu::always_inline]] inline void Processor::handle(GuestExit exit) {
    if (exit == GuestExit::io) return on_port();
    switch (exit) {
    case GuestExit::interrupted: return machine_.advance(now_);
    case GuestExit::interrupt_window: return;
    case GuestExit::cpuid: return on_cpuid();
    case GuestExit::msr: return on_msr();
    case GuestExit::hlt: return on_halt();
    case GuestExit::shutdown: return on_shutdown();
    case GuestExit::vmmcall:
        if (!machine_.board().hypercall(*this)) return cpu_.raise(vector::kInvalidOpcode);
        return skip<0x0f, 0x01, 0xd9>();
    // Caches are the host's; nothing that a guest can see depends on them.
    // TCG has one exit for both.
    case GuestExit::invd:
    case GuestExit::wbinvd:
        if (cpu_.skip<0x0f, 0x08>(machine_.memory())) return;
        return skip<0x0f, 0x09>();
    case GuestExit::rdpmc: return cpu_.raise(vector::kProtection, 0);
    case GuestExit::rsm:
    case GuestExit::invlpga:
    case GuestExit::vmrun:
    case GuestExit::vmload:
    case GuestExit::vmsave:
    case GuestExit::stgi:
    case GuestExit::clgi:
    case GuestExit::skinit:
    case GuestExit::rdtscp:
    case GuestExit::monitor:
    case GuestExit::mwait:
    case GuestExit::xsetbv: return cpu_.raise(vector::kInvalidOpcode);
    case GuestExit::task_switch: return fail("a task switch, which this machine does not do");
    default: return handle_rest(exit);
    }
}

constexpr u64 code_of(GuestExit exit) { return static_cast<u64>(exit); }

// Translations, and what comes by the number of a vector or a register.
void Processor::handle_rest(GuestExit exit) {
    switch (machine_.paging().on_exit(cpu_, exit)) {
    case Handled::done: return;
    case Handled::shut_down: return on_shutdown();
    case Handled::refused: return fail("memory that the machine does not have, at guest-physical", cpu_.state().info[1]);
    case Handled::no: break;
    }
    const u64 code = code_of(exit);
    if (code >= code_of(GuestExit::exception) && code < code_of(GuestExit::interrupted))
        return on_exception(code - code_of(GuestExit::exception));
    if (code >= code_of(GuestExit::read_dr) && code < code_of(GuestExit::exception))
        return on_debug_register(code & 0xf, code >= code_of(GuestExit::write_dr));
    // QEMU writes this one in 32 bits.
    if (static_cast<u32>(code) == static_cast<u32>(code_of(GuestExit::invalid))) return fail("the CPU refuses the virtual CPU's state");
    fail("an exit that nobody handles", code);
}

// Devices have their time first: an interrupt that is due is delivered before the guest goes on.  Hot.
[[gnu::always_inline]] inline void Processor::deliver() {
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

void Processor::tell_end() { report(*this); }

Turn Processor::run(u64 until) {
    const u64 begin = now_ = ticks();
    if (began_ == 0) began_ = begin;
    machine_.lock();
    const Turn turn = go_on(until);
    machine_.unlock();
    exits_.add_turn(ticks() - begin);
    return turn;
}

void Processor::switch_off(bool off) {
    waiting_ = off;
    halted_ = false;
    machine_.set_off(index_, off);
}

// What other CPUs asked of this one, and who of them is to look up because of what this one did.
// All of it, as who wakes it for the one may have sent the other by then.
void Processor::obey() {
    for (CpuSignal signal; (signal = machine_.board().take_signal(index_)).kind != CpuSignal::none;) {
        if (signal.kind == CpuSignal::init) switch_off(true);
        if (signal.kind == CpuSignal::startup && waiting_) {
            start(cpu_.state(), startup_state(signal.page));
            switch_off(false);
        }
    }
    machine_.wake_others(index_);
}

// Everything that may make it go on. False: it waits. What a device put off may be what a halted one waits for.  Hot.
// Order: the board's time first, as what then happens may be for another CPU, which is to be told.
[[gnu::always_inline]] inline bool Processor::has_work() {
    if (machine_.is_due(now_) || halted_) machine_.advance(now_);
    if (machine_.is_shared()) [[unlikely]] {
        obey();
        if (waiting_) return false;
    }
    deliver();
    return !halted_;
}

Turn Processor::go_on(u64 until) {
    while (machine_.is_running()) {
        if (!has_work()) return Turn::idle;
        if (now_ >= until) return Turn::over;

        const bool shared = machine_.is_shared();
        if (shared) [[unlikely]]
            machine_.unlock();
        const u64 entered = ticks();
        const auto exit = cpu_.run(machine_.paging().place(cpu_));
        now_ = ticks();
        if (shared) [[unlikely]]
            machine_.lock();
        exits_.add_guest(now_ - entered);
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
