#include "guests/paravirt/traps.hpp"

#include "guests/paravirt/hypercall.hpp"
#include "guests/small/machine.hpp"
#include "guests/small/print.hpp"

namespace small {

using paravirt::Event;
using paravirt::Hypercall;

namespace paravirt_layer {
namespace {

// The kernel's frame is the interface's, so that nothing is copied: `cs` is the mode.
static_assert(sizeof(TrapFrame) == sizeof(paravirt::TrapFrame) && offsetof(TrapFrame, rax) == offsetof(paravirt::TrapFrame, rax) &&
              offsetof(TrapFrame, cs) == offsetof(paravirt::TrapFrame, mode) && offsetof(TrapFrame, rsp) == offsetof(paravirt::TrapFrame, rsp));
static_assert((kUserCode & 3) == paravirt::kUserMode && kPageFault < paravirt::kEventVector);

u64 seen_ticks;

void serve_events() {
    for (;;) {
        const u64 wanted = ~shared->masked_channels;
        const u64 events = __atomic_fetch_and(&shared->pending, ~wanted, __ATOMIC_SEQ_CST) & wanted;
        if (events == 0) return;
        if (events & bit(Event::timer))
            for (const u64 now = shared->timer_ticks; seen_ticks != now; ++seen_ticks) on_tick();
        if (events & bit(Event::disk)) on_disk_event();
        if (events & bit(Event::receive)) on_packet();
    }
}

/// The monitor calls this with events masked.
[[noreturn]] void on_trap(TrapFrame* frame) {
    switch (frame->vector) {
        case paravirt::kSystemCallVector:
            machine::unmask_interrupts();
            on_system_call(*frame);
            machine::mask_interrupts();
            break;
        case paravirt::kEventVector:
            serve_events();
            on_interrupt_end(*frame);
            break;
        case kPageFault: on_page_fault(*frame, shared->fault_address); break;
        default: on_exception(*frame);
    }
    machine::enter_user(frame);
}

}  // namespace

void start_traps() {
    // Transmitted packets are looked for when the next one is sent.
    shared->masked_channels = bit(Event::transmit);
    hypercall(Hypercall::set_trap_entry, reinterpret_cast<u64>(&on_trap));
}

}  // namespace paravirt_layer

namespace machine {

using paravirt_layer::shared;

void set_kernel_stack(u64 top) { shared->kernel_stack = top; }

void enter_user(TrapFrame* frame) {
    hypercall(Hypercall::return_from_trap, address_of(frame));
    panic("the monitor refused a trap frame");
}

bool mask_interrupts() {
    const bool were_on = shared->events_masked == 0;
    shared->events_masked = 1;
    return were_on;
}

void unmask_interrupts() {
    shared->events_masked = 0;
    // Order: unmasked before looked at, or an event between the two would be nobody's.
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (shared->pending & ~shared->masked_channels) hypercall(Hypercall::take_events);
}

void idle() {
    hypercall(Hypercall::wait);
    paravirt_layer::serve_events();
}

}  // namespace machine
}  // namespace small
