// The mechanism: threads that wait for each other, and a policy for those that can run. All of it runs with preemption
// held off.
#include "libos/threads/threads.hpp"

#include "libos/core/call.hpp"
#include "libos/core/preemption.hpp"
#include "libos/threads/preempt.hpp"
#include "libos/threads/scheduling.hpp"

extern "C" void libos_switch_thread(tessera::u64* save_rsp, tessera::u64 rsp);

namespace tessera::libos {

volatile bool slice_over = false;

void ThreadQueue::push(Thread& thread) { queue_.push(thread); }
Thread* ThreadQueue::pop() { return static_cast<Thread*>(queue_.pop()); }

struct Scheduler {
    static inline constinit Thread main;
    static inline constinit Thread* current = &main;
    static inline constinit u64 charged = 0;  // cpu_time() up to which the current one's is counted

    /// Count what the current one has run. Returns the time.
    static u64 charge() {
        const u64 now = cpu_time();
        if (charged != 0) {
            current->turn += now - charged;
            current->used += now - charged;
        }
        charged = now;
        return now;
    }
    /// Go on with the next one. The current one was charged, and is in some queue or has ended.
    static void switch_away() {
        Thread* next = static_cast<Thread*>(scheduling.take(charged));
        if (next == nullptr) threads_stuck("every thread is waiting");
        next->turn = 0;
        slice_over = false;
        preemption.wanted = false;
        Thread* before = current;
        current = next;
        const u32 held = preemption.held;
        if (next != before) libos_switch_thread(&before->rsp_, next->rsp_);
        preemption.held = held;
    }
    static void give_way() {
        scheduling.add(*current, charge());
        switch_away();
    }
    static void wait_in(ThreadQueue& queue) {
        charge();
        queue.push(*current);
        switch_away();
    }
    /// It can run. With preemption on, it may be that it goes first: as soon as no guard is left.
    static void wake(Thread& thread) {
        const u64 now = charge();
        thread.used = 0;
        scheduling.add(thread, now);
        if (preemption.give_way != nullptr && scheduling.turn_over(*current, now, slice_over)) preemption.wanted = true;
    }
    static void wake_all(ThreadQueue& queue) {
        while (Thread* thread = queue.pop()) wake(*thread);
    }
    static void end() {
        current->state_ = Thread::State::ended;
        wake_all(current->joining_);
        charge();
        switch_away();
    }
};

Thread& this_thread() { return *Scheduler::current; }

// A fresh thread comes out of somebody else's switch_away().
void Thread::run() {
    preemption.held = 0;
    Thread& self = *Scheduler::current;
    self.function_(self.argument_);
    preemption.held = 1;
    Scheduler::end();
    __builtin_unreachable();
}

bool Thread::start(std::span<std::byte> stack, Function function, void* argument) {
    constexpr u64 kSmallestStack = 2048, kSavedRegisters = 6;
    if (state_ != State::fresh || stack.size() < kSmallestStack) return false;
    NoPreemption guard;
    function_ = function;
    argument_ = argument;
    state_ = State::running;
    // As if run() had been called from an aligned stack, and had then called libos_switch_thread.
    u64* top = reinterpret_cast<u64*>(reinterpret_cast<u64>(stack.data() + stack.size()) & ~u64{15});
    *--top = 0;
    *--top = reinterpret_cast<u64>(&Thread::run);
    for (u64 i = 0; i < kSavedRegisters; ++i) *--top = 0;
    rsp_ = reinterpret_cast<u64>(top);
    Scheduler::wake(*this);
    return true;
}

void Thread::join() {
    NoPreemption guard;
    if (state_ == State::running) Scheduler::wait_in(joining_);
}

void give_way() {
    NoPreemption guard;
    Scheduler::give_way();
}

bool ask_policy() {
    NoPreemption guard;
    preemption.wanted = false;
    const bool over = scheduling.turn_over(*Scheduler::current, Scheduler::charge(), slice_over);
    slice_over = false;
    if (over) Scheduler::give_way();
    return over;
}

void offer_turn() { ask_policy(); }

void Mutex::lock() {
    NoPreemption guard;
    if (owner_ == nullptr) {
        owner_ = Scheduler::current;
        return;
    }
    if (owner_ == Scheduler::current) threads_stuck("a mutex is locked twice by its owner");
    Scheduler::wait_in(waiting_);
}

bool Mutex::try_lock() {
    NoPreemption guard;
    if (owner_ != nullptr) return false;
    owner_ = Scheduler::current;
    return true;
}

// Handed over, so that nobody overtakes one that waits.
void Mutex::unlock() {
    NoPreemption guard;
    if (owner_ != Scheduler::current) threads_stuck("a mutex is unlocked by another than its owner");
    owner_ = waiting_.pop();
    if (owner_ != nullptr) Scheduler::wake(*owner_);
}

void Condition::wait(Mutex& mutex) {
    NoPreemption guard;
    mutex.unlock();
    Scheduler::wait_in(waiting_);
    mutex.lock();
}

void Condition::wake_one() {
    NoPreemption guard;
    if (Thread* thread = waiting_.pop()) Scheduler::wake(*thread);
}

void Condition::wake_all() {
    NoPreemption guard;
    Scheduler::wake_all(waiting_);
}

}  // namespace tessera::libos
