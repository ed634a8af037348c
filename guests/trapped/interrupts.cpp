#include "guests/trapped/interrupts.hpp"

#include "guests/small/machine.hpp"
#include "guests/small/print.hpp"
#include "guests/trapped/cards.hpp"
#include "guests/trapped/fpu.hpp"
#include "guests/trapped/registers.hpp"
#include "guests/trapped/self_test.hpp"

namespace small {
namespace trapped {
namespace {

constexpr u16 kMaster = 0x20, kSlave = 0xa0;  // Command ports; data is one higher.
constexpr u8 kEndOfInterrupt = 0x20, kReadInService = 0x0b;
constexpr u64 kHandlers = 4, kDebug = 1, kBreakpoint = 3, kDeviceMissing = 7;

struct Handler {
    u8 line;
    void (*run)();
};
Handler handlers[kHandlers];
u64 handler_count;

u8 data_port(u8 line) { return static_cast<u8>((line < 8 ? kMaster : kSlave) + 1); }

/// Line 7 of either controller may also mean that a line went away before it was asked which (8259A data sheet).
bool is_spurious(u8 line) {
    if (line % 8 != 7) return false;
    const u16 port = line < 8 ? kMaster : kSlave;
    out8(port, kReadInService);
    if (in8(port) & 0x80) return false;
    if (line > 8) out8(kMaster, kEndOfInterrupt);
    return true;
}

void on_line(u8 line) {
    if (is_spurious(line)) return;
    for (u64 i = 0; i < handler_count; ++i)
        if (handlers[i].line == line) handlers[i].run();
    if (line >= 8) out8(kSlave, kEndOfInterrupt);
    out8(kMaster, kEndOfInterrupt);
}

}  // namespace

void start_interrupts() {
    // Initialisation words 1 to 4: edge mode with four of them, vectors, the cascade, 8086 mode.
    const u8 words[4][2] = {{0x11, 0x11}, {kFirstVector, kFirstVector + 8}, {1 << kCascadeLine, kCascadeLine}, {1, 1}};
    for (int i = 0; i < 4; ++i) {
        out8(i == 0 ? kMaster : kMaster + 1, words[i][0]);
        out8(i == 0 ? kSlave : kSlave + 1, words[i][1]);
    }
    out8(kMaster + 1, static_cast<u8>(~(1 << kCascadeLine)));
    out8(kSlave + 1, 0xff);
}

void mask_line(u8 line, bool masked) {
    const u8 bit = static_cast<u8>(1 << line % 8), now = in8(data_port(line));
    out8(data_port(line), static_cast<u8>(masked ? now | bit : now & ~bit));
}

void handle_line(u8 line, void (*handler)()) {
    if (handler_count == kHandlers || line > 15) panic("no room for an interrupt handler");
    handlers[handler_count++] = {line, handler};
    mask_line(line, false);
}

}  // namespace trapped

// Called by entry.S.
extern "C" void trapped_trap(TrapFrame* frame) {
    using namespace trapped;
    if (frame->vector >= kFirstVector) {
        on_line(static_cast<u8>(frame->vector - kFirstVector));
        if (frame->from_user()) tend_balloon();
        on_interrupt_end(*frame);
    } else if (frame->vector == kPageFault) {
        on_page_fault(*frame, cr2());
    } else if (frame->vector == kBreakpoint && !frame->from_user()) {
        breakpoints = breakpoints + 1;
    } else if (frame->vector == kDebug && !frame->from_user()) {
        if (dr6() & kSingleStep) steps = steps + 1;
        set_dr6(dr6() & ~kSingleStep);
    } else if (frame->vector == kDeviceMissing && !frame->from_user()) {
        on_fpu_touched();
    } else {
        on_exception(*frame);
    }
}

extern "C" void trapped_system_call(TrapFrame* frame) { on_system_call(*frame); }

namespace machine {

bool mask_interrupts() {
    const bool were_on = trapped::flags() & trapped::kInterruptFlag;
    trapped::cli();
    return were_on;
}
void unmask_interrupts() { trapped::sti(); }
void idle() {
    trapped::tend_balloon();
    trapped::sti_hlt_cli();
}

}  // namespace machine
}  // namespace small
