// A guest: its memory, the board around it, and how it ended. Its virtual CPUs are Processors.
#pragma once

#include <string_view>

#include "exokernel/locks/test_and_test_and_set.hpp"
#include "libos/vmm/monitor/board.hpp"
#include "libos/vmm/monitor/clock.hpp"
#include "libos/vmm/monitor/paging.hpp"

namespace tessera::vmm {

/// Why a guest does not go on.
struct End {
    enum Kind {
        running,
        power_off,  ///< HLT with interrupts off.
        reset,      ///< A triple fault with no interrupt table: what resets a PC.
        failed,     ///< Anything else, with a report in the log.
    };
    Kind kind = running;
    const char* reason = "";
    u64 detail = 0;
    u64 cpu = 0;  ///< The virtual CPU that ended it.
};

/// Who can make a virtual CPU look up: it sleeps, or is in its guest.
class Waker {
  public:
    virtual void wake(u64 cpu) = 0;

  protected:
    ~Waker() = default;
};

class Machine {
  public:
    /// `name`: up to 15 characters, for the log; must stay. Time begins now.
    Machine(std::string_view name, Memory& memory, Board& board, Paging& paging);

    std::string_view name() const { return name_; }
    Memory& memory() { return memory_; }
    Board& board() { return board_; }
    Paging& paging() { return paging_; }
    const Clock& clock() const { return clock_; }

    /// Is something of the board's own due?  Hot.
    bool is_due(u64 tsc) const { return tsc >= due_; }
    /// The board's time goes on, and what is due happens.
    void advance(u64 tsc) {
        board_.advance(clock_.nanoseconds(tsc));
        look_at_time();
    }
    /// The guest has told the board something that may change when it is due.
    void look_at_time() {
        due_ = clock_.tsc_at(board_.next_event());
    }
    /// The TSC when something of the board's own is due; Clock::kNever.
    u64 due() const { return due_; }

    // ---- Several virtual CPUs, each in an environment of its own ----
    /// From now on everything but the guests' own time is under a lock, and who waits is woken by `waker`.
    void share(u64 cpus, Waker& waker) {
        cpus_ = cpus;
        off_ = all() & ~u64{1};
        waker_ = &waker;
    }
    bool is_shared() const { return cpus_ != 1; }
    /// Held while the board, the memory or the paging is used.  Hot: nothing where there is one CPU.
    void lock() {
        if (is_shared()) [[unlikely]]
            lock_.acquire();
    }
    void unlock() {
        if (is_shared()) [[unlikely]]
            lock_.release();
    }
    /// Wake the CPUs, but for `self`, for which something has come since the last time.
    void wake_others(u64 self);

    /// A CPU waits to be started, or it has been. With none left that runs, or has been started and only not heard of it yet,
    /// the machine is off.
    void set_off(u64 cpu, bool off) {
        off_ = off ? off_ | u64{1} << cpu : off_ & ~(u64{1} << cpu);
        if (off_ == all() && board_.starting() == 0) stop({End::power_off, "halted with interrupts off", 0, cpu});
    }

    const End& end() const { return end_.kind == End::running && memory_.is_lost() ? kLost : end_; }
    /// Memory that was borrowed and is gone ends a machine, too: looked at behind each exit.  Hot.
    bool is_running() const { return end_.kind == End::running && !memory_.is_lost(); }
    /// Whoever has put it together anew says that it runs again.
    void restart() { end_ = {}; }
    /// The first reason counts.
    void stop(End end) {
        if (is_running()) end_ = end;
        for (u64 cpu = 0; is_shared() && cpu < cpus_; ++cpu) waker_->wake(cpu);
    }

  private:
    static constexpr End kLost{End::failed, "memory that it shared with other monitors was taken away by who lent it", 0};

    std::string_view name_;
    Memory& memory_;
    Board& board_;
    Paging& paging_;
    Clock clock_;
    u64 due_ = 0;
    u64 cpus_ = 1;
    Waker* waker_ = nullptr;
    u64 all() const { return (u64{1} << cpus_) - 1; }
    u64 off_ = 0;   ///< CPUs that wait for their start.
    u64 told_ = 0;  ///< CPUs that have been woken for what waits for them.
    // Not first come, first served: whose turn it is may not be running, and everybody would wait for it.
    locks::TestAndTestAndSetLock<> lock_;
    End end_;
};

}  // namespace tessera::vmm
