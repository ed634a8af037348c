#include "guests/trapped/fpu.hpp"

#include "guests/trapped/registers.hpp"

namespace small::trapped {
namespace {

constexpr u64 kMonitor = 1 << 1, kSwitched = 1 << 3, kFxsave = 1 << 9;

/// What FXSAVE stores.
struct alignas(16) Image {
    u8 bytes[512];
};

Image* running;          // whose the registers are to be
Image* owner;            // whose they are
volatile u64 exchanges;  // exceptions that came

// Safety, of all four: the FPU's registers are nobody's in this kernel, which is built without them.
void reset(Image& image) {
    constexpr u32 kMaskAll = 0x1f80;
    asm volatile("fninit\n ldmxcsr %0" ::"m"(kMaskAll));
    asm volatile("fxsave64 %0" : "=m"(image));
}
void compute(u64 value) {
    asm volatile("fildll %0\n movq %0, %%xmm9" ::"m"(value));
}
/// The last value of each kind, the number on the x87's stack popped.
bool is_left(u64 value) {
    u64 whole = 0, low = 0;
    asm volatile("fistpll %0\n movq %%xmm9, %1" : "=m"(whole), "=m"(low));
    return whole == value && low == value;
}

void switch_to(Image& image) {
    running = &image;
    set_cr0(cr0() | kSwitched);
}

/// CR0 and CR4 as they were, at the end.
struct Controls {
    u64 before0 = cr0(), before4 = cr4();
    Controls() { set_cr4(before4 | kFxsave); }
    ~Controls() {
        set_cr0(before0);
        set_cr4(before4);
    }
};

}  // namespace

void on_fpu_touched() {
    clts();
    exchanges = exchanges + 1;
    if (owner == running) return;
    if (owner != nullptr) asm volatile("fxsave64 %0" : "=m"(*owner));
    owner = running;
    asm volatile("fxrstor64 %0" ::"m"(*owner));
}

/// Two that compute: an exchange for the first touch after each switch, none for a switch without one.
bool fpu_is_switched_lazily() {
    static Image one, two;
    Controls controls;
    clts();
    reset(one);
    two = one;
    exchanges = 0, owner = nullptr;
    switch_to(one);
    const bool untouched = exchanges == 0;
    compute(111);
    const bool once = exchanges == 1;
    switch_to(two);
    compute(222);
    switch_to(one);
    switch_to(two);
    compute(333);
    switch_to(one);
    const bool before = exchanges == 3;
    const bool kept = is_left(111) && exchanges == 4;
    switch_to(two);
    return untouched && once && before && kept && is_left(333) && exchanges == 5 && !(cr0() & kSwitched);
}

/// WAIT traps with CR0.TS only if CR0.MP says that it should.
bool wait_heeds_the_monitor_bit() {
    static Image image;
    Controls controls;
    clts();
    reset(image);
    exchanges = 0, owner = nullptr;
    set_cr0(cr0() & ~kMonitor);
    switch_to(image);
    asm volatile("fwait");
    const bool ran = exchanges == 0;
    set_cr0(cr0() | kMonitor);
    asm volatile("fwait");
    return ran && exchanges == 1;
}

}  // namespace small::trapped
