// User-level threads: switched without the kernel, which knows nothing of them.
//
// They run in turns: one gives way when it waits, when it says so, or, with preemption on, when a policy says so at
// the end of a slice or because a thread woke up that is to go first. Who is next is the policy's choice
// (scheduling.hpp). `libos_main` is the first thread. All calls here are for threads, not for upcall handlers.
#pragma once

#include <span>

#include "libos/threads/job.hpp"

namespace tessera::libos {

class Thread;

/// A queue of threads, first come, first served.
class ThreadQueue {
  public:
    void push(Thread& thread);
    Thread* pop();

  private:
    JobQueue queue_;
};

/// Its Job says what policies go by: set `length`, `priority`, `tickets`, `deadline` before start(), or in its turn.
class Thread : public Job {
  public:
    using Function = void (*)(void* argument);

    Thread() = default;
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;

    /// Run `function(argument)` on `stack`, 2 KiB at least, when the policy says so. Once in a thread's life,
    /// and the stack must be there until join() returns. False: it has run before, or the stack is too small.
    bool start(std::span<std::byte> stack, Function function, void* argument);

    /// Wait until it has ended. Not for a thread that was never started.
    void join();

    bool ended() const { return state_ == State::ended; }

  private:
    friend struct Scheduler;
    enum class State : u8 { fresh, running, ended };

    [[noreturn]] static void run();

    u64 rsp_ = 0;  // of one that does not run; its other registers are on its stack
    Function function_ = nullptr;
    void* argument_ = nullptr;
    ThreadQueue joining_;
    State state_ = State::fresh;
};

/// The one that is running.
Thread& this_thread();

/// Wait for the CPU like the others: who is next, the policy says.  Cost: two calls of the policy and the switch;
/// scenarios/scheduling.toml measures it for each.
void give_way();

/// Give way if, for the policy, this turn is over: for long computations, as a libOS has no timer within its slices.
/// Cost: a question to the policy.
void offer_turn();

/// From now on a turn may be over when a slice is, or when somebody wakes up, if the policy says so.
/// Errors: none that can happen here.
void preempt_threads();

/// Turns that were over because a slice was.
u64 preemptions();

/// TSC ticks while this environment had the CPU, as far as it knows: without preempt_threads() the slices of others
/// count too. The clock of all policies.
u64 cpu_time();

class Mutex {
  public:
    Mutex() = default;
    Mutex(const Mutex&) = delete;
    Mutex& operator=(const Mutex&) = delete;

    /// Not recursive: who has it and asks again has made a mistake, and the environment ends saying so.
    void lock();
    bool try_lock();
    /// Only by its owner; it goes to whoever has waited longest.
    void unlock();
    const Thread* owner() const { return owner_; }

  private:
    Thread* owner_ = nullptr;
    ThreadQueue waiting_;
};

class Condition {
  public:
    Condition() = default;
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;

    /// Let go of `mutex`, wait to be woken, take it again. Woken only by one of the two below.
    void wait(Mutex& mutex);
    void wake_one();
    void wake_all();

  private:
    ThreadQueue waiting_;
};

/// Has a mutex for as long as it lives.
class Lock {
  public:
    explicit Lock(Mutex& mutex) : mutex_(mutex) { mutex_.lock(); }
    ~Lock() { mutex_.unlock(); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

  private:
    Mutex& mutex_;
};

}  // namespace tessera::libos
