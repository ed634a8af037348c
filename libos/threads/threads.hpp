// User-level threads: switched without the kernel, which knows nothing of them.
//
// They run in turns: one gives way when it waits, when it says so, or, with preemption on, when the
// environment's slice is over. `libos_main` is the first of them. All calls here are for threads, not for
// upcall handlers.
#pragma once

#include <span>

#include "exokernel/abi/types.hpp"

namespace tessera::libos {

class Thread;

/// A queue of threads, first come, first served.
class ThreadQueue {
  public:
    void push(Thread& thread);
    Thread* pop();
    bool empty() const { return first_ == nullptr; }

  private:
    Thread* first_ = nullptr;
    Thread* last_ = nullptr;
};

class Thread {
  public:
    using Function = void (*)(void* argument);

    Thread() = default;
    Thread(const Thread&) = delete;
    Thread& operator=(const Thread&) = delete;

    /// Run `function(argument)` on `stack`, 1 KiB at least, from the next turn on. Once in a thread's life,
    /// and the stack must be there until join() returns. False: it has run before, or the stack is too small.
    bool start(std::span<std::byte> stack, Function function, void* argument);

    /// Wait until it has ended. Not for a thread that was never started.
    void join();

    bool ended() const { return state_ == State::ended; }

  private:
    friend class ThreadQueue;
    friend struct Scheduler;
    enum class State : u8 { fresh, running, ended };

    [[noreturn]] static void run();

    u64 rsp_ = 0;  // of one that does not run; its other registers are on its stack
    Thread* next_ = nullptr;
    Function function_ = nullptr;
    void* argument_ = nullptr;
    ThreadQueue joining_;
    State state_ = State::fresh;
};

/// The one that is running.
Thread& this_thread();

/// Let the others run first.  Cost: about 40 instructions.
void give_way();

/// From now on, the end of a slice is also the end of a thread's turn.  Errors: none that can happen here.
void preempt_threads();

/// Turns taken because a slice ended.
u64 preemptions();

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
