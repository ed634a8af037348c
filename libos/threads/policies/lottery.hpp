// Lottery scheduling (Waldspurger and Weihl, OSDI 1994): a share of the CPU in proportion to tickets, on average. Each
// turn goes to the holder of a ticket that is drawn; the error grows with the square root of the number of turns,
// but there is nothing to keep up when jobs come, go or change their tickets.
//
// A job that gives up its turn early holds more tickets until it next wins, in the proportion that it left unused
// (the paper's compensation tickets): otherwise who waits often would get less than its share.
// Cost: linear in the number of jobs.
#pragma once

#include "libos/threads/scheduling.hpp"

namespace tessera::libos {

class Lottery {
  public:
    /// `seed`: the same draws on every run.
    constexpr explicit Lottery(Quantum quantum = {}, u64 seed = 1) : quantum_(quantum), random_(seed) {}
    void set(Quantum quantum) { quantum_ = quantum; }

    void add(Job& job, u64) {
        job.key = u64{job.tickets == 0 ? 1 : job.tickets} << kShift;
        if (job.turn != 0 && job.turn < quantum_.ticks) job.key = job.key * inflation(job.turn) >> kShift;
        tickets_ += job.key;
        queue_.push(job);
    }
    Job* take(u64) {
        if (tickets_ == 0) return nullptr;
        u64 drawn = draw(tickets_);
        Job* winner = queue_.pop();
        for (; drawn >= winner->key; winner = queue_.pop()) {
            drawn -= winner->key;
            queue_.push(*winner);
        }
        tickets_ -= winner->key;
        return winner;
    }
    bool turn_over(const Job& running, u64, bool slice_over) { return quantum_.over(running, slice_over); }

  private:
    static constexpr u64 kShift = 8, kMostInflation = 64 << kShift;

    u64 inflation(u64 turn) const {
        const u64 factor = (quantum_.ticks << kShift) / turn;
        return factor < kMostInflation ? factor : kMostInflation;
    }
    /// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), scaled to below `limit`.
    u64 draw(u64 limit) {
        u64 z = (random_ += 0x9e37'79b9'7f4a'7c15);
        z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
        z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
        return static_cast<u64>(static_cast<unsigned __int128>(z ^ (z >> 31)) * limit >> 64);
    }

    Quantum quantum_;
    u64 random_;
    u64 tickets_ = 0;  // of all that wait, in units of 1 / 2^kShift
    JobQueue queue_;
};

}  // namespace tessera::libos
