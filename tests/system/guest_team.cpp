// A guest with several virtual CPUs on as many CPUs of the machine: the first starts the others as a PC's does, they count
// together under a lock of the guest's, interrupt each other, and switch off. Last, the first one starts the others again and
// is off at once, whoever of them has heard of it by then.
//
//   cpus=N    virtual CPUs
//   fails=1   the others do what the machine has no answer for, while the first waits for them
#include "libos/core/libos.hpp"
#include "libos/heap/heap.hpp"
#include "libos/vmm/monitor/report.hpp"
#include "libos/vmm/monitor/team.hpp"
#include "tests/system/guest_start.hpp"

using namespace tessera;
using namespace tessera::guest_test;

extern "C" const std::byte guest_code[], guest_interrupt[], guest_code_end[], guest_other[], guest_other_end[];

// 20000: how often any CPU counted. 20008: interrupts that came back. The others begin at 9000, in real mode, and stay there.
asm(R"(
    .section .rodata.guest, "a"
    .globl guest_code, guest_interrupt, guest_code_end, guest_other, guest_other_end
guest_code:
    mov $0x1b, %ecx             # x2APIC on
    rdmsr
    or $0xc00, %eax
    wrmsr
    mov $0x80f, %ecx            # and enabled by software
    mov $0x1ff, %eax
    xor %edx, %edx
    wrmsr
    mov $0x830, %ecx            # INIT, then start at page 9, to all but self
    mov $0xc4500, %eax
    wrmsr
    mov $0xc4609, %eax
    wrmsr
    mov $1000, %r8d
1:  lock incl 0x20000
    pause
    dec %r8d
    jnz 1b
    mov 0x9ff0, %eax            # how many others there are, and they say when they are done
2:  pause
    cmp %eax, 0x9ff4
    jne 2b
    mov $0x830, %ecx            # an interrupt to ourselves, by way of the APIC
    mov $0x40030, %eax
    xor %edx, %edx
    wrmsr
    sti
3:  pause
    cmpl $1, 0x20008
    jne 3b
    cli
    mov $0x832, %ecx            # its timer: once, masked, in steps of 128 ns, and it is seen to count
    mov $0x10040, %eax
    xor %edx, %edx
    wrmsr
    mov $0x83e, %ecx
    mov $0xa, %eax
    wrmsr
    mov $0x838, %ecx
    mov $0xffffffff, %eax
    wrmsr
    mov $0x839, %ecx
    rdmsr
    mov %eax, %ebx
    mov $1000, %r8d
4:  pause
    dec %r8d
    jnz 4b
    rdmsr
    cmp %ebx, %eax
    jb 5f
    ud2
5:  mov $0x830, %ecx
    mov $0xc4500, %eax
    wrmsr
    mov $0xc4609, %eax
    wrmsr
    hlt
guest_interrupt:
    incl 0x20008
    push %rax
    push %rcx
    push %rdx
    mov $0x80b, %ecx
    xor %eax, %eax
    xor %edx, %edx
    wrmsr
    pop %rdx
    pop %rcx
    pop %rax
    iretq
guest_code_end:

    .code16
guest_other:
    mov $0x2000, %ax
    mov %ax, %ds
    mov $1000, %cx
1:  lock incl 0
    pause
    loop 1b
    mov $0x900, %ax
    mov %ax, %ds
    lock incl 0xff4
2:  hlt
    jmp 2b
    .code64
guest_other_end:
    .previous
)");

namespace {
constinit FrameSupply supply;
Team team;
RunWindow heap_memory;
}  // namespace

int libos_main() {
    constexpr u64 kHeapPages = 64;
    if (!heap_memory.take(kHeapPages).ok() || !heap().open(heap_memory.memory(), kHeapPages << kPageShift)) return 2;
    const u64 cpus = argument("cpus", 2);
    const bool fails = argument("fails", 0) != 0;
    constexpr u8 kStringOutput = 0x6e;  // in real mode
    auto* const guest = new PcGuest(supply, {.name = "team", .frames = 1024, .cpus = cpus});
    Memory& memory = guest->memory();
    const auto put = [&](u64 at, const std::byte* from, const std::byte* to) {
        return memory.copy_out(at, {from, static_cast<u64>(to - from)});
    };
    if (!guest->open().ok() || !write_tables(memory) || !put(kCode, guest_code, guest_code_end) ||
        !put(0x9000, guest_other, guest_other_end) || !memory.write(0x9ff0, static_cast<u32>(cpus - 1)) ||
        (fails && !memory.write(0x9000, kStringOutput)) ||
        !write_gate(memory, 0x30, kCode + static_cast<u64>(guest_interrupt - guest_code)))
        return print("no guest\n"), 1;
    write_start(guest->processor().cpu().state(), kCode);
    if (const auto opened = team.open(*guest, 2); !opened.ok()) return print("no team: ", name_of(opened.error()), "\n"), 1;
    static Monitor monitor;
    monitor.set_events(Team::kNotified);
    monitor.add(guest->processor());
    team.begin();
    monitor.run();
    team.join();
    const u64 counted = memory.read<u32>(0x2'0000).value_or(0);
    const End::Kind end = guest->machine().end().kind;
    const bool good = fails ? end == End::failed : end == End::power_off && counted == 1000 * (2 * cpus - 1);
    print(good ? "right: " : "WRONG: ", cpus, " virtual CPUs counted to ", counted, "\n");
    const bool told = record("cpus", cpus, "counted", counted, "right", good).ok();
    return guest->close().ok() && good && told ? 0 : 1;
}
