// Calls to the monitor, and the page that it shares with this kernel.
#pragma once

#include "guests/small/types.hpp"
#include "libos/vmm/paravirt/interface.hpp"

namespace small {

namespace paravirt = tessera::vmm::paravirt;

/// Answers as the interface says; negative is an error.
inline i64 hypercall(paravirt::Hypercall number, u64 a = 0, u64 b = 0, u64 c = 0) {
    u64 result = static_cast<u64>(number);
    // Safety: rcx and r11 are lost; the monitor reads and writes what the arguments name.
    asm volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return static_cast<i64>(result);
}

inline u64 address_of(const volatile void* pointer) { return reinterpret_cast<u64>(pointer); }

namespace paravirt_layer {

extern paravirt::StartInformation* start;
extern volatile paravirt::SharedPage* shared;
extern bool zero_by_monitor;  ///< `zero=monitor` on the command line: the hint is used.

/// The parts of the machine, in the order in which they are started and asked at events.
void start_disk();
void start_network();
void on_disk_event();

}  // namespace paravirt_layer
}  // namespace small
