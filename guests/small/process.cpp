#include "guests/small/process.hpp"

#include <cstring>

#include "guests/small/frames.hpp"
#include "guests/small/print.hpp"
#include "guests/small/program.hpp"

// switch.S: keep what a call must preserve on this stack, its address in *saved, and go on from `next`'s.
extern "C" void small_switch_stacks(small::u64* saved, small::u64 next);

namespace small {
namespace {

constexpr int kMaxProcesses = 16;
constexpr u64 kStackSize = 8192;

Process processes[kMaxProcesses];
alignas(kPageSize) u8 stacks[kMaxProcesses][kStackSize];
Process* running;
u64 ids, idle;

u64 stack_top(const Process& process) { return reinterpret_cast<u64>(stacks[&process - processes + 1]); }
/// Where traps out of user mode put their frame.
TrapFrame* first_frame(const Process& process) { return reinterpret_cast<TrapFrame*>(stack_top(process)) - 1; }

/// What a new process does first, with interrupts off.
void enter_first_frame() { machine::enter_user(first_frame(*running)); }

Process* new_process(Process* parent) {
    for (Process& process : processes) {
        if (process.state != Process::State::free) continue;
        process = {};
        process.buffer = allocate_frame();
        if (!process.buffer) return nullptr;
        process.id = ++ids;
        process.parent = parent;
        return &process;
    }
    return nullptr;
}

void give_up(Process& process) {
    process.space.destroy();
    if (process.buffer) release_frame(process.buffer);
    process.state = Process::State::free;
}

/// From now on the scheduler may choose it.
void start(Process& process, const TrapFrame& frame) {
    *first_frame(process) = frame;
    // As small_switch_stacks would have left it: six registers, then where it returns to.
    u64* rsp = reinterpret_cast<u64*>(first_frame(process)) - 8;
    std::memset(rsp, 0, 8 * sizeof(u64));
    rsp[6] = reinterpret_cast<u64>(&enter_first_frame);
    process.saved_rsp = reinterpret_cast<u64>(rsp);
    process.state = Process::State::ready;
}

void switch_to(Process& next) {
    Process* before = running;
    if (&next == before) return;
    running = &next;
    machine::set_kernel_stack(stack_top(next));
    machine::load_root(next.space.root());
    u64 lost;
    small_switch_stacks(before != nullptr ? &before->saved_rsp : &lost, next.saved_rsp);
}

Process* next_ready() {
    const int from = running != nullptr ? static_cast<int>(running - processes) : 0;
    for (int i = 1; i <= kMaxProcesses; ++i) {
        Process& process = processes[(from + i) % kMaxProcesses];
        if (process.state == Process::State::ready) return &process;
    }
    return nullptr;
}

}  // namespace

Process& current() { return *running; }

Process* spawn(const char* name, Process* parent) {
    const Program* program = find_program(name);
    Process* process = program != nullptr ? new_process(parent) : nullptr;
    if (process == nullptr) return nullptr;
    u64 entry = 0;
    if (!process->space.create() || !load_program(*program, process->space, entry)) {
        give_up(*process);
        return nullptr;
    }
    TrapFrame frame{};
    frame.rip = entry, frame.cs = kUserCode, frame.rflags = kUserFlags, frame.ss = kUserData;
    frame.rsp = kStackTop;
    start(*process, frame);
    return process;
}

Process* fork(const TrapFrame& frame) {
    Process* child = new_process(running);
    if (child == nullptr) return nullptr;
    if (!running->space.fork_into(child->space)) {
        give_up(*child);
        return nullptr;
    }
    TrapFrame copy = frame;
    copy.rax = 0;
    start(*child, copy);
    return child;
}

void end_current(u64 status) {
    Process& self = *running;
    if (self.parent == nullptr) machine::power_off(status == 0);
    Masked masked;
    for (Process& child : processes)
        if (child.state != Process::State::free && child.parent == &self) child.parent = &processes[0];
    machine::load_root({});
    self.space.destroy();
    self.status = status;
    self.state = Process::State::ended;
    wake(self.parent);
    schedule();
    __builtin_unreachable();
}

u64 wait_for_child(u64& status) {
    for (;;) {
        Masked masked;
        bool any = false;
        for (Process& child : processes) {
            if (child.state == Process::State::free || child.parent != running) continue;
            any = true;
            if (child.state != Process::State::ended) continue;
            status = child.status;
            give_up(child);
            return child.id;
        }
        if (!any) return 0;
        block_on(running, 0);
    }
}

void schedule() {
    Masked masked;
    Process* next = next_ready();
    if (next == nullptr) {
        const u64 begin = __builtin_ia32_rdtsc();
        do
            if (!give_hint()) machine::idle();
        while ((next = next_ready()) == nullptr);
        idle += __builtin_ia32_rdtsc() - begin;
    }
    switch_to(*next);
}

u64 idle_time() { return idle; }

void block_on(const void* what, u64 until) {
    running->waits_for = what;
    running->wakes_at = until;
    running->state = Process::State::blocked;
    schedule();
}

void wake(const void* what) {
    for (Process& process : processes)
        if (process.state == Process::State::blocked && process.waits_for == what) process.state = Process::State::ready;
}

void wake_sleepers(u64 now) {
    for (Process& process : processes)
        if (process.state == Process::State::blocked && process.wakes_at != 0 && process.wakes_at <= now)
            process.state = Process::State::ready;
}

void run_processes() {
    machine::mask_interrupts();
    schedule();
    panic("nobody was ready");
}

}  // namespace small
