// What an exit costs, in instructions: from the guest's instruction before it to the one behind it, through the kernel, the
// monitor and back. The guest measures it itself, as its TSC counts instructions when the machine's does.
#include <algorithm>

#include "libos/core/libos.hpp"
#include "libos/vmm/monitor/pc_guest.hpp"
#include "libos/vmm/monitor/monitor.hpp"
#include "tests/system/guest_start.hpp"

using namespace tessera;
using namespace tessera::guest_test;

extern "C" const std::byte guest_code[], guest_code_end[];

// For each kind of exit: 64 times, how many ticks it took, one word each from 0x20000 on.
asm(R"(
    .section .rodata.guest, "a"
    .globl guest_code, guest_code_end
    .macro measured count=64
    mov $\count, %r12d
9:  rdtsc
    mov %eax, %r13d
    .endm
    .macro until
    rdtsc
    sub %r13d, %eax
    mov %eax, (%r11)
    add $4, %r11
    dec %r12d
    jnz 9b
    .endm
guest_code:
    mov $0x20000, %r11d
    measured
    until
    measured
    xor %eax, %eax
    cpuid
    until
    measured
    mov $0x3ff, %edx        # a register of the serial port
    out %al, %dx
    until
    measured
    mov $0x3fd, %edx        # its line status
    in %dx, %al
    until
    measured
    mov $0x277, %ecx
    rdmsr
    until
    hlt
guest_code_end:
    .previous
)");

namespace {

constexpr u64 kResults = 0x2'0000, kTimes = 64;
constexpr std::string_view kNames[] = {"nothing", "cpuid", "write_port", "read_port", "read_msr"};
constexpr u64 kKinds = sizeof kNames / sizeof kNames[0];

constinit FrameSupply supply;

/// The median of what the guest measured, less what measuring takes; 0: it wrote nothing.
u64 median(Memory& memory, u64 kind) {
    u32 times[kTimes]{};
    if (!memory.copy_in(std::as_writable_bytes(std::span(times)), kResults + kind * sizeof times)) return 0;
    std::ranges::sort(times);
    return times[kTimes / 2];
}

}  // namespace

int libos_main() {
    static PcGuest guest(supply, {.name = "guest", .frames = 1024});
    if (!guest.open().ok() || !write_tables(guest.memory()) ||
        !guest.memory().copy_out(kCode, {guest_code, static_cast<u64>(guest_code_end - guest_code)}))
        return print("no guest\n"), 1;
    write_start(guest.processor().cpu().state(), kCode);
    static Monitor monitor;
    monitor.add(guest.processor());
    monitor.run();

    const u64 nothing = median(guest.memory(), 0);
    const u64 limit = argument("limit", 0);
    bool good = guest.machine().end().kind == End::power_off && nothing != 0;
    for (u64 kind = 1; kind < kKinds; ++kind) {
        const u64 cost = median(guest.memory(), kind) - nothing;
        print(kNames[kind], ": ", cost, " instructions\n");
        good = record("exit", kNames[kind], "instructions", cost).ok() && cost <= limit && good;
    }
    const ExitCounts& exits = guest.processor().exits();
    print("in all ", exits.total(), " exits, of ", exits.guest_ticks() / exits.total(), " instructions in kernel and guest and ",
          exits.monitor_ticks() / exits.total(), " in the monitor\n");
    print(good ? "within the limit of " : "NOT within the limit of ", limit, "\n");
    return good && guest.close().ok() ? 0 : 1;
}
