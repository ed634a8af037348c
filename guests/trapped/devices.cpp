#include "guests/trapped/devices.hpp"

#include "guests/small/machine.hpp"
#include "guests/small/words.hpp"
#include "guests/trapped/interrupts.hpp"
#include "guests/trapped/registers.hpp"

namespace small {
namespace trapped {
namespace {

constexpr u16 kCom1 = 0x3f8;
constexpr u16 kTimerCounter = 0x40, kTimerCommand = 0x43;
constexpr u64 kTimerHertz = 1'193'182;
constexpr u16 kDebugExit = 0xf4;
constexpr u8 kExitGood = 0x20, kExitBad = 0x21;  // QEMU ends with twice that plus one.

bool has_debug_exit;

}  // namespace

void start_console() {
    out8(kCom1 + 1, 0);     // No interrupts: what is written is waited for.
    out8(kCom1 + 3, 0x80);  // 115200 baud,
    out8(kCom1 + 0, 1);
    out8(kCom1 + 1, 0);
    out8(kCom1 + 3, 3);     // 8N1,
    out8(kCom1 + 2, 7);     // queues on and empty,
    out8(kCom1 + 4, 3);     // and the other side told.
}

void start_timer() {
    machine::set_timer(0);
    handle_line(kTimerLine, on_tick);
}

void start_power(const char* command_line) {
    Word value;
    has_debug_exit = find_option(command_line, "exit", value) && value.is("f4");
}

}  // namespace trapped

namespace machine {

using namespace trapped;

void put(char c) {
    constexpr u8 kCanSend = 0x20;
    if (c == '\n') put('\r');
    // A port that never gets ready loses a character; it does not stop the machine.
    for (int patience = 100'000; patience != 0 && !(in8(kCom1 + 5) & kCanSend); --patience) {
    }
    out8(kCom1, static_cast<u8>(c));
}

void set_timer(u32 hertz) {
    constexpr u8 kRateGenerator = 0x34, kOneShot = 0x30;  // Channel 0, both bytes, modes 2 and 0 (8254 data sheet)
    if (hertz == 0) {
        out8(kTimerCommand, kOneShot);  // Without a count it never ends.
        return;
    }
    const u64 counts = kTimerHertz / hertz;
    out8(kTimerCommand, kRateGenerator);
    out8(kTimerCounter, static_cast<u8>(counts));
    out8(kTimerCounter, static_cast<u8>(counts >> 8));
}

void power_off(bool good) {
    cli();
    if (has_debug_exit) out8(kDebugExit, good ? kExitGood : kExitBad);
    halt_forever();
}

}  // namespace machine
}  // namespace small
