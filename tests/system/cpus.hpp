// One child on every CPU but the first, which runs the test: made, placed, ended.
#pragma once

#include "libos/core/pages.hpp"
#include "tests/system/children.hpp"

namespace tessera::attack {

inline u64 rounds;
alignas(4096) inline Child children[kMaxCpus];
inline Capability slots[kMaxCpus];

inline u64 cpus() { return information().cpus; }

/// Words that another CPU writes.
template <class T>
T seen(const T& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }
template <class T>
void tell(T& word, T value) { __atomic_store_n(&word, value, __ATOMIC_RELEASE); }

/// What every test on several CPUs begins with: false, and it cannot be run here.
inline bool open_cpus(u64 least) {
    rounds = argument("rounds", 5);
    if (cpus() < least) return print("needs ", least, " CPUs\n"), false;
    if (!pin_image().ok()) return print("the image does not fit among the guaranteed mappings\n"), false;
    for (u64 cpu = 1; cpu < cpus(); ++cpu) expect("a slot on each", answer_to<SlotTake>({cpu, {kAny}, 1, address(slots[cpu])}), Error::ok, cpu);
    return true;
}

/// The slot of that CPU that is ours runs `id`; zero: nobody of ours.
inline void run_in_slot(u64 cpu, EnvId id) {
    expect("run it", answer_to<SlotRun>({address(slots[cpu]), SlotNumber{slots[cpu].first}, 1, id}), Error::ok, cpu);
}

/// A child on that CPU, in a slot of it.
inline void start(u64 cpu, void (*function)(Child&), u64 argument = 0, VirtAddr context = address(boot().context)) {
    Child& child = children[cpu];
    expect("make a child", make_child(child, "child", function, argument, 0, context), Error::ok, cpu);
    expect("place it", answer_to<EnvPlace>({address(child.environment), cpu}), Error::ok, cpu);
    run_in_slot(cpu, child.id);
    expect_true("it lives there", environment_info(child.id).cpu == cpu, cpu);
}
inline void stop(u64 cpu) {
    expect("end it", answer_to<EnvDestroy>({address(children[cpu].environment)}), Error::ok, cpu);
    children[cpu].frames = {};
}
inline bool lives(const Child& child) { return seen(environment_info(child.id).id) == child.id.value; }

/// Ticks after which what has not come does not come, however slow the host is.
inline u64 long_enough() { return information().tsc_hz * 180; }

/// Wait until `fact`; a child that does not get anywhere is a wrong answer, not a test that hangs.
template <class Fact>
bool comes(Fact&& fact) {
    for (const u64 begin = ticks(); ticks() - begin < long_enough();)
        if (fact()) return true;
    return false;
}

/// Long enough for another CPU to do what it must not, if it is going to.
inline void linger() {
    for (const u64 begin = ticks(); ticks() - begin < information().tsc_hz / 500;) {
    }
}

/// A child's function: writes to the words of the page at its argument, over and over, until it is gone.
inline void scribble(Child& child) {
    volatile u64* words = reinterpret_cast<volatile u64*>(child.argument);
    for (u64 i = 0;; ++i) words[i % 512] = words[i % 512] + 1;
}

}  // namespace tessera::attack
