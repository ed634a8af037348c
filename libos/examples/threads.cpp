// User-level threads: a bounded buffer between producers and consumers, under a mutex and two conditions, while
// other threads compute in SSE registers and are preempted whenever a slice ends.
//
// Arguments: items= (for each producer)  rounds= (of each computing thread)  preempt=0: only the kernel switches,
// without asking, and a thread goes on until it waits
#include "libos/threads/threads.hpp"

#include "libos/core/libos.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

constexpr u64 kProducers = 3, kConsumers = 2, kComputing = 2;
constexpr u64 kEnd = ~u64{0};

class Buffer {
  public:
    void put(u64 item) {
        Lock lock(mutex_);
        while (count_ == kRoom) has_room_.wait(mutex_);
        item_[(first_ + count_++) % kRoom] = item;
        has_items_.wake_one();
    }
    u64 take() {
        Lock lock(mutex_);
        while (count_ == 0) has_items_.wait(mutex_);
        const u64 item = item_[first_];
        first_ = (first_ + 1) % kRoom;
        --count_;
        has_room_.wake_one();
        return item;
    }

  private:
    static constexpr u64 kRoom = 4;
    Mutex mutex_;
    Condition has_room_, has_items_;
    u64 item_[kRoom];
    u64 first_ = 0, count_ = 0;
};

Buffer buffer;
u64 items, rounds;
u64 consumed[kConsumers], seen[kConsumers];
double computed[kComputing];
alignas(16) std::byte stacks[kProducers + kConsumers + kComputing][8192];

void produce(void* number) {
    const u64 first = reinterpret_cast<u64>(number) * items;
    for (u64 i = 0; i < items; ++i) buffer.put(first + i);
}

void consume(void* number) {
    const u64 me = reinterpret_cast<u64>(number);
    for (u64 item; (item = buffer.take()) != kEnd; ++seen[me]) consumed[me] += item;
}

/// Leibniz' series, in vector registers all the time: a register lost on the way shows.
double series(u64 terms) {
    double sum = 0, sign = 1;
    for (u64 i = 0; i < terms; ++i, sign = -sign) sum += sign / static_cast<double>(2 * i + 1);
    return sum;
}

void compute(void* number) { computed[reinterpret_cast<u64>(number)] = series(rounds); }

}  // namespace

int libos_main() {
    items = argument("items", 2000);
    rounds = argument("rounds", 3'000'000);
    const double expected = series(rounds);
    if (argument("preempt", 1) != 0) preempt_threads();

    Thread threads[kProducers + kConsumers + kComputing];
    Thread* next = threads;
    std::byte(*stack)[8192] = stacks;
    const auto start = [&](Thread::Function function, u64 number) {
        return next++->start(*stack++, function, reinterpret_cast<void*>(number));
    };
    bool right = true;
    for (u64 i = 0; i < kComputing; ++i) right &= start(compute, i);
    for (u64 i = 0; i < kProducers; ++i) right &= start(produce, i);
    for (u64 i = 0; i < kConsumers; ++i) right &= start(consume, i);
    for (u64 i = 0; i < kComputing + kProducers; ++i) threads[i].join();
    for (u64 i = 0; i < kConsumers; ++i) buffer.put(kEnd);
    for (u64 i = 0; i < kConsumers; ++i) threads[kComputing + kProducers + i].join();

    u64 sum = 0, count = 0;
    for (u64 i = 0; i < kConsumers; ++i) {
        sum += consumed[i];
        count += seen[i];
    }
    const u64 all = kProducers * items;
    right &= count == all && sum == all * (all - 1) / 2;
    for (double each : computed) right &= each == expected;
    print(right ? "right: " : "WRONG: ", count, " items through the buffer, ", preemptions(), " preemptions, ",
          accounts().slices, " slices\n");
    const Outcome sent = record("program", "threads", "items", count, "sum", sum, "right", right, "preemptions",
                                preemptions(), "slices", accounts().slices);
    return right && sent.ok() ? 0 : 1;
}
