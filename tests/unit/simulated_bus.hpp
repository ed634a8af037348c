// A machine of several CPUs with caches on one bus, simulated, to run locks and barriers on: the real ones, through
// their parameter Relax.
//
// Each access to a shared word is one turn of one CPU; who has the next turn is the test's choice, so a run is the
// same every time. Caches are write-invalidate: reading a line that one has no copy of, and writing one that others
// have a copy of or oneself has not, is one bus transaction. Memory is sequentially consistent: orders are for
// ThreadSanitizer, this is for interleavings and traffic.
#pragma once

#include <ucontext.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "exokernel/abi/types.hpp"

namespace tessera::test {

class SimulatedBus {
  public:
    /// Which of the CPUs that still run has the next turn: an index below `running`.
    using Choose = std::function<u64(u64 running)>;

    static u64 round_robin(u64 running) { return turns_ % running; }

    /// Runs `body(cpu)` on that many CPUs until all have ended, or `most_turns` are over. Answers whether all ended.
    static bool run(u32 cpus, const std::function<void(u32)>& body, const Choose& choose, u64 most_turns = 1'000'000) {
        turns_ = transactions_ = 0;
        lines_.clear();
        body_ = &body;
        std::vector<std::unique_ptr<Cpu>> all;
        std::vector<Cpu*> running;
        for (u32 i = 0; i < cpus; ++i) {
            all.push_back(std::make_unique<Cpu>(i));
            running.push_back(all.back().get());
            getcontext(&all.back()->context);
            all.back()->context.uc_stack.ss_sp = all.back()->stack.data();
            all.back()->context.uc_stack.ss_size = all.back()->stack.size();
            all.back()->context.uc_link = &scheduler_;
            makecontext(&all.back()->context, &SimulatedBus::start, 0);
        }
        for (; !running.empty() && turns_ < most_turns; ++turns_) {
            const u64 index = choose(running.size());
            current_ = running[index];
            switch_over(scheduler_, current_->context);
            if (current_->ended) running.erase(running.begin() + static_cast<std::ptrdiff_t>(index));
        }
        return running.empty();
    }

    static u64 transactions() { return transactions_; }

    /// The end of a turn.
    static void pass() { switch_over(current_->context, scheduler_); }

    /// An access by the CPU whose turn it is; behind it the turn is over, and the access made.
    static void access(const void* word, bool writes) {
        pass();
        const u64 own = u64{1} << current_->number;
        Line& line = lines_[reinterpret_cast<std::uintptr_t>(word) / 64];
        const bool hit = writes ? line.copies == own && line.written : (line.copies & own) != 0;
        transactions_ += !hit;
        line.copies = writes ? own : line.copies | own;
        line.written = writes || (line.written && hit);
    }

  private:
    struct Line {
        u64 copies = 0;        // a bit a CPU
        bool written = false;  // by the one that has the only copy
    };
    struct Cpu {
        explicit Cpu(u32 own) : number(own), stack(64 * 1024) {}
        u32 number;
        std::vector<char> stack;
        ucontext_t context{};
        bool ended = false;
    };

    /// swapcontext(), which AddressSanitizer warns of and would not need to.
    static void switch_over(ucontext_t& from, ucontext_t& to) {
        volatile bool back = false;
        getcontext(&from);
        if (back) return;
        back = true;
        setcontext(&to);
    }

    static void start() {
        (*body_)(current_->number);
        current_->ended = true;
    }

    static inline u64 turns_ = 0, transactions_ = 0;
    static inline std::map<u64, Line> lines_;
    static inline const std::function<void(u32)>* body_ = nullptr;
    static inline Cpu* current_ = nullptr;
    static inline ucontext_t scheduler_{};
};

/// A word of the simulated machine, with the operations of std::atomic that locks and barriers use.
template <class T>
class BusWord {
  public:
    constexpr BusWord(T value = {}) : value_(value) {}
    BusWord(const BusWord&) = delete;
    BusWord& operator=(const BusWord&) = delete;

    T load(std::memory_order) const { return SimulatedBus::access(this, false), value_; }
    void store(T value, std::memory_order) { SimulatedBus::access(this, true), value_ = value; }
    T exchange(T value, std::memory_order) {
        SimulatedBus::access(this, true);
        return std::exchange(value_, value);
    }
    T fetch_add(T more, std::memory_order) {
        SimulatedBus::access(this, true);
        return std::exchange(value_, value_ + more);
    }
    bool compare_exchange_strong(T& expected, T value, std::memory_order, std::memory_order = {}) {
        SimulatedBus::access(this, true);
        if (value_ != expected) return expected = value_, false;
        return value_ = value, true;
    }

  private:
    T value_;
};

/// Waiting on the simulated machine.
struct SimulatedCpu {
    template <class T>
    using Word = BusWord<T>;
    static void pause() { SimulatedBus::pass(); }
};

}  // namespace tessera::test
