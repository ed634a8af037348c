#include "exokernel/drivers/timer.hpp"

#include <initializer_list>

#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/drivers/calibration.hpp"

namespace tessera::kernel {
namespace {

enum ApicRegister : u64 {
    kId = 0x20,
    kTaskPriority = 0x80,
    kEndOfInterrupt = 0xb0,
    kSpurious = 0xf0,
    kCommandLow = 0x300,
    kCommandHigh = 0x310,
    kLvtTimer = 0x320,
    kLvtLint0 = 0x350,
    kLvtLint1 = 0x360,
    kLvtError = 0x370,
    kInitialCount = 0x380,
    kCurrentCount = 0x390,
    kDivide = 0x3e0,
};
constexpr u32 kMasked = 1 << 16;
constexpr u32 kEnable = 1 << 8;
constexpr u32 kPending = 1 << 12, kAssert = 1 << 14, kInit = 5 << 8, kStartUp = 6 << 8;  // of the command register
constexpr u32 kDivideBy1 = 0xb;

u64 apic;                 // kernel address of the registers
u64 counts_per_tick_q32;  // APIC counts for a TSC tick, 32.32 fixed point

void write_apic(ApicRegister r, u32 value) {
    // Safety: the registers' page was mapped uncached by start_local_apic.
    *reinterpret_cast<volatile u32*>(apic + r) = value;
}
u32 read_apic(ApicRegister r) { return *reinterpret_cast<volatile u32*>(apic + r); }

constexpr u64 kPitHz = 1'193'182;
constexpr u16 kPitCounts = 2386;  // 2 ms
constexpr u16 kPitChannel2 = 0x42, kPitCommand = 0x43, kSpeaker = 0x61;

/// For `calibrate`: the PIT's channel 2 counts down once.
struct Clocks {
    void start() {
        out8(kSpeaker, static_cast<u8>((in8(kSpeaker) & ~0x02) | 0x01));
        out8(kPitCommand, 0xb0);  // channel 2, both bytes, interrupt on terminal count
        out8(kPitChannel2, static_cast<u8>(kPitCounts));
        out8(kPitChannel2, static_cast<u8>(kPitCounts >> 8));
        write_apic(kInitialCount, 0xffff'ffff);
    }
    bool done() { return in8(kSpeaker) & 0x20; }
    u64 apic_counts() { return 0xffff'ffff - read_apic(kCurrentCount); }
    u64 tsc() { return read_tsc(); }
};

void command(u64 apic_id, u32 what) {
    while (read_apic(kCommandLow) & kPending) {}
    write_apic(kCommandHigh, static_cast<u32>(apic_id) << 24);
    write_apic(kCommandLow, what | kAssert);
}

void wait_ticks(u64 ticks) {
    for (const u64 begin = read_tsc(); read_tsc() - begin < ticks;) asm volatile("pause");
}

}  // namespace

u64 start_local_apic() {
    out8(0x21, 0xff);  // mask both legacy PICs
    out8(0xa1, 0xff);
    const PhysAddr base{read_msr(msr::kApicBase) & 0xffff'ffff'f000};
    write_msr(msr::kApicBase, base.value | 1 << 11);
    if (apic == 0) apic = map_device(base);
    write_apic(kSpurious, kEnable | VECTOR_SPURIOUS);
    write_apic(kTaskPriority, 0);
    for (const ApicRegister lvt : {kLvtTimer, kLvtLint0, kLvtLint1, kLvtError}) write_apic(lvt, kMasked);
    write_apic(kDivide, kDivideBy1);
    write_apic(kLvtTimer, VECTOR_TIMER);
    return read_apic(kId) >> 24;
}

TimerSpeed calibrate_timers() {
    write_apic(kLvtTimer, kMasked);
    const Calibration found = calibrate(Clocks{});
    write_apic(kInitialCount, 0);
    write_apic(kLvtTimer, VECTOR_TIMER);
    if (found.problem != nullptr) return {0, found.problem};
    counts_per_tick_q32 = (found.apic_counts << 32) / found.tsc;
    return {found.tsc * kPitHz / kPitCounts, nullptr};
}

void set_timer(u64 ticks) {
    u64 counts = ticks > u64{1} << 36 ? 0xffff'ffff : (ticks * (counts_per_tick_q32 >> 8)) >> 24;
    if (counts == 0) counts = 1;
    if (counts > 0xffff'ffff) counts = 0xffff'ffff;
    write_apic(kInitialCount, static_cast<u32>(counts));
}

void acknowledge_interrupt() { write_apic(kEndOfInterrupt, 0); }

void send_interrupt(u64 apic_id, u64 vector) { command(apic_id, static_cast<u32>(vector)); }

void start_cpu(u64 apic_id, FrameNumber page, u64 tsc_hz) {
    command(apic_id, kInit);
    wait_ticks(tsc_hz / 100);
    for (int i = 0; i < 2; ++i) {
        command(apic_id, kStartUp | static_cast<u32>(page.value));
        wait_ticks(tsc_hz / 5000);
    }
}

}  // namespace tessera::kernel
