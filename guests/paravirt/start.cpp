// From the monitor's start page to the kernel; the console, the clock's rate, and the end.

#include "guests/paravirt/hypercall.hpp"
#include "guests/paravirt/traps.hpp"
#include "guests/small/machine.hpp"
#include "guests/small/words.hpp"

extern "C" const small::u8 image_end[];  // kernel.ld

namespace small {

using paravirt::Hypercall;

namespace paravirt_layer {

paravirt::StartInformation* start;
volatile paravirt::SharedPage* shared;
bool zero_by_monitor;

extern "C" [[noreturn]] void paravirt_start(paravirt::StartInformation* information) {
    start = information;
    if (start->version != paravirt::kVersion) machine::power_off(false);
    shared = reinterpret_cast<volatile paravirt::SharedPage*>(start->shared_page);
    Word value;
    zero_by_monitor = find_option(start->command_line, "zero", value) && value.is("monitor");
    start_traps();
    start_disk();
    start_network();
    kernel_main({start->command_line, address_of(image_end), start->memory_end});
}

}  // namespace paravirt_layer

namespace machine {

void put(char c) {
    static char line[paravirt::kMaxPrint];
    static u64 size;
    line[size++] = c;
    if (c != '\n' && size < sizeof line) return;
    hypercall(Hypercall::print, address_of(line), size);
    size = 0;
}

void set_timer(u32 hertz) { hypercall(Hypercall::set_timer, hertz != 0 ? 1'000'000'000 / hertz : 0); }

void power_off(bool good) {
    for (;;) hypercall(Hypercall::power_off, good ? 0 : 1);
}

}  // namespace machine
}  // namespace small
