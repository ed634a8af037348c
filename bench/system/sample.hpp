// Counting the instructions between two points of a libOS, many times over.
//
// Under `-icount shift=0` the TSC counts executed instructions, one each, so a sample is a number of
// instructions and comes out the same every time. What the reading itself costs is measured as an empty
// operation and taken off. Nothing is checked between the two readings: the warm-up rounds check what the
// measured rounds then do unchecked.
#pragma once

#include <algorithm>
#include <array>

#include "libos/core/libos.hpp"

namespace tessera::bench {

using namespace tessera::libos;

inline constexpr u64 kWarmUp = 5;
inline constexpr u64 kSamples = 31;
inline constexpr u64 kRounds = kWarmUp + kSamples;

/// The first reading, put away by one `mov`. Takes every register that a call is free to change, so that what an
/// operation loads into them is loaded behind this, and counted.
[[gnu::always_inline]] inline u32 reading_before() {
    u32 low;
    asm volatile("rdtsc\n\tmov %%eax, %0"
                 : "=rm"(low)
                 :
                 : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
    return low;
}
/// The second: how much was counted since the first.
[[gnu::always_inline]] inline u32 reading_after(u32 before) {
    u32 low;
    asm volatile("rdtsc" : "=a"(low) : : "rdx", "memory");
    return low - before;
}

/// Something went wrong, and no figure is worth having: say so and end.
[[noreturn]] inline void give_up(const char* name, const char* what) {
    print("bench: ", name, ": ", what, "\n");
    exit(1);
}

/// The value of a result that must be one.
template <class T>
T sure(const char* name, Result<T> result) {
    if (!result.ok()) give_up(name, tessera::name_of(result.error()));
    return result.value();
}

class Series {
  public:
    void add(u32 ticks) { ticks_[count_++] = ticks; }
    u64 count() const { return count_; }
    u32 median() {
        std::sort(ticks_.begin(), ticks_.begin() + count_);
        return ticks_[count_ / 2];
    }
    u32 least() { return *std::min_element(ticks_.begin(), ticks_.begin() + count_); }
    u32 most() { return *std::max_element(ticks_.begin(), ticks_.begin() + count_); }

  private:
    std::array<u32, kSamples> ticks_{};
    u64 count_ = 0;
};

inline u32 empty_sample = 0;  ///< What two readings with nothing between them differ by.

/// Send one path's figures. `overhead`: what each sample holds that is not the path's.
inline void report(const char* name, Series& series, u32 overhead) {
    const u32 median = series.median() - overhead, least = series.least() - overhead, most = series.most() - overhead;
    if (!record("path", name, "instructions", median, "least", least, "most", most, "samples", series.count()).ok())
        give_up(name, "its record was refused");
}

inline Answer done() { return {Error::ok, 0}; }

/// Where bench/where.py stops, just before the last round of each path, to follow it step by step.
extern "C" [[gnu::noinline, gnu::used]] inline void bench_marker(const char* name) { asm volatile("" : : "r"(name) : "memory"); }

/// Measure `operation(round)`, which answers how it went, with `prepare(round)` before each round.
template <class Prepare, class Operation>
[[gnu::noinline]] u32 measure(const char* name, Prepare prepare, Operation operation) {
    Series series;
    for (u64 round = 0; round < kRounds; ++round) {
        prepare(round);
        if (round < kWarmUp) {
            const Answer answer = operation(round);
            if (answer.error != Error::ok) give_up(name, tessera::name_of(answer.error));
            continue;
        }
        if (round == kRounds - 1) bench_marker(name);
        const u32 before = reading_before();
        operation(round);
        series.add(reading_after(before));
    }
    report(name, series, empty_sample);
    return series.median();
}

/// Find out what the readings cost. First of all.
inline void calibrate() {
    Series series;
    for (u64 i = 0; i < kSamples; ++i) {
        const u32 before = reading_before();
        series.add(reading_after(before));
    }
    report("empty", series, 0);
    empty_sample = series.median();
}

/// One load, and nothing else.
[[gnu::always_inline]] inline void load(VirtAddr at) { asm volatile("mov (%0), %%eax" : : "r"(at.value) : "rax", "memory"); }
/// One store.
[[gnu::always_inline]] inline void store(VirtAddr at) { asm volatile("movl $7, (%0)" : : "r"(at.value) : "memory"); }

}  // namespace tessera::bench
