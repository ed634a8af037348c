// Stride scheduling (Waldspurger and Weihl, MIT/LCS/TM-528, 1995): a share of the CPU in proportion to tickets,
// exactly. Each job has a virtual time, its pass, that goes on by what it ran, divided by its tickets; the one that is
// furthest behind runs. Two jobs that never wait are apart by a quantum at most, however long they run.
//
// A job that comes after waiting starts where the others are: it keeps no claim to what it left unused.
#pragma once

#include "libos/threads/scheduling.hpp"

namespace tessera::libos {

class Stride {
  public:
    constexpr explicit Stride(Quantum quantum = {}) : quantum_(quantum) {}
    void set(Quantum quantum) { quantum_ = quantum; }

    void add(Job& job, u64) {
        const u64 tickets = job.tickets == 0 ? 1 : job.tickets;
        if (job.turn != 0) job.pass += job.turn * kScale / tickets + 1;  // 1: so that no turn is for nothing
        if (job.pass < pass_) job.pass = pass_;
        heap_.push(job, job.pass);
    }
    Job* take(u64) {
        Job* job = heap_.pop();
        if (job != nullptr) pass_ = job->pass;
        return job;
    }
    bool turn_over(const Job& running, u64, bool slice_over) { return quantum_.over(running, slice_over); }

  private:
    static constexpr u64 kScale = 1024;  // 2^54 ticks until a pass would wrap: half a year at 1 GHz

    Quantum quantum_;
    u64 pass_ = 0;  // of who ran last: the others are at it or beyond
    JobHeap heap_;
};

}  // namespace tessera::libos
