// What an exit costs in instructions, from the monitor's last instruction before it lets the guest go on to its first behind:
// the guest's own one or two included. And what an absent page costs the guest, whoever brings it: as its own TSC has it.
#include <cstring>

#include "bench/system/guest_start.hpp"
#include "libos/vmm/monitor/monitor.hpp"
#include "libos/vmm/monitor/pc_guest.hpp"

using namespace tessera;
using namespace tessera::bench;
using namespace tessera::vmm;

extern "C" const std::byte code_vmmcall[], code_syscall[], code_cli[], code_store[], code_timed[], code_chunks[], code_end[];

asm(R"(
    .section .rodata.guest, "a"
    .globl code_vmmcall, code_syscall, code_cli, code_store, code_timed, code_chunks, code_end
code_vmmcall:
    vmmcall
code_syscall:
1:  syscall
    jmp 1b
code_cli:
    cli
code_store:
    mov %esi, (%rbx)
    ud2
code_timed:                     # one load, in ticks, to eax
    rdtsc
    mov %eax, %ecx
    mov (%rbx), %esi
    rdtsc
    sub %ecx, %eax
    ud2
code_chunks:                    # the same for a word in each of 30 chunks of 2 MiB
    mov $0x200000, %edi
    mov $0x7000, %r11d
    mov $30, %r12d
1:  rdtsc
    mov %eax, %r13d
    mov (%rdi), %esi
    rdtsc
    sub %r13d, %eax
    mov %eax, (%r11)
    add $4, %r11d
    add $0x200000, %edi
    dec %r12d
    jnz 1b
    hlt
code_end:
    .previous
)");

namespace {

void place(BareGuest& guest, const std::byte* code) {
    std::copy(code, code_end, reinterpret_cast<std::byte*>(guest.memory() + kGuestCode));
    guest.cpu.state().rip = kGuestCode;
    guest.cpu.state().rbx = kGuestPage;
}

void open(const char* name, BareGuest& guest, GuestForm form, ContextKind kind) {
    if (const auto opened = guest.open(form, kind); !opened.ok()) give_up(name, name_of(opened.error()));
}

/// Out and in again, with nothing done about it.
void measure_round_trip(const char* name, BareGuest& guest, const std::byte* code, GuestExit wanted) {
    place(guest, code);
    if (guest.run(name) != wanted) give_up(name, "another exit");
    measure(name, [](u64) {}, [&](u64) {
        const auto exit = guest.cpu.run(0);
        return Answer{exit.ok() && exit.value() == wanted ? Error::ok : Error::bad_argument, 0};
    });
}

/// Run a piece of what was placed to its end; what is absent is bound on the way.
u32 run_piece(const char* name, BareGuest& guest, const std::byte* code) {
    guest.cpu.state().rip = kGuestCode + static_cast<u64>(code - code_store);
    for (;;) {
        const u64 exit = static_cast<u64>(guest.run(name)), first = static_cast<u64>(GuestExit::exception);
        if (exit == first + vector::kInvalidOpcode) return static_cast<u32>(guest.cpu.state().rax);
        if (exit != static_cast<u64>(GuestExit::nested_fault) && exit != first + vector::kPageFault) give_up(name, "another exit");
        sure(name, guest.bind(kGuestPage >> kPageShift));
    }
}

/// Of both forms: a load from a page that only the S-TLB knows, and from one that nobody knows until the monitor binds it, less a
/// load with nothing in its way.
void measure_faults(const char* filled, const char* resolved, BareGuest& guest) {
    place(guest, code_store);
    const PageSpan span = guest.span(kGuestPage >> kPageShift);
    const VirtAddr context = guest.context.capability();
    run_piece(filled, guest, code_timed);
    const u32 present = run_piece(filled, guest, code_timed);
    const auto each = [&](const char* name, auto&& forget) {
        Series series;
        for (u64 round = 0; round < kRounds; ++round) {
            forget();
            const u32 ticks = run_piece(name, guest, code_timed);
            if (round >= kWarmUp) series.add(ticks);
        }
        report(name, series, present);
    };
    // Only what was written to is known to have been used, and is forgotten.
    each(filled, [&] {
        run_piece(filled, guest, code_store);
        if (sure(filled, call<ClearBits>({span, 3, context})) != 1) give_up(filled, "nothing was forgotten");
    });
    each(resolved, [&] { sure(resolved, call<Unbind>({span, context})); });
}

void measure_svm() {
    static BareGuest guest;
    open("guest_exit_svm", guest, GuestForm::svm, ContextKind::nested);
    write_guest_tables([](u64 at, u64 word) { std::memcpy(guest.memory() + at, &word, sizeof word); });
    write_guest_start(guest.cpu.state());
    guest.cpu.state().intercept_exceptions = 1 << 6;
    measure_round_trip("guest_exit_svm", guest, code_vmmcall, GuestExit::vmmcall);
    measure_faults("nested_fault_filled", "nested_fault_bound", guest);
}

void measure_ring_3() {
    static BareGuest guest;
    open("guest_exit_ring_3", guest, GuestForm::deprivileged, ContextKind::deprivileged);
    guest.cpu.state().rsp = kGuestStack;
    guest.cpu.state().rflags = 2;
    measure_round_trip("guest_exit_ring_3", guest, code_syscall, GuestExit::syscall);
    measure_round_trip("guest_exit_ring_3_exception", guest, code_cli, static_cast<GuestExit>(static_cast<u64>(GuestExit::exception) + 13));
    measure_faults("ring_3_fault_filled", "ring_3_fault_bound", guest);
}

/// Through the library's memory and nested paging, 2 MiB at a time: chunks that have memory already, and chunks that get it.
void measure_library() {
    constexpr u64 kChunks = 30, kPresent = kChunks / 2;
    static FrameSupply supply;
    static PcGuest guest(supply, {.name = "guest", .frames = (kChunks + 1) * kPagesPerLarge, .paging = PagingChoice::nested});
    if (!guest.open().ok()) give_up("nested_fault_library", "no guest");
    Memory& memory = guest.memory();
    write_guest_tables([&](u64 at, u64 word) { static_cast<void>(memory.write(at, word)); });
    static_cast<void>(memory.copy_out(kGuestCode, {code_chunks, static_cast<u64>(code_end - code_chunks)}));
    for (u64 chunk = 1; chunk <= kPresent; ++chunk) static_cast<void>(memory.write(chunk << kLargeShift, u64{1}));
    write_guest_start(guest.processor().cpu().state());
    static Monitor monitor;
    monitor.add(guest.processor());
    monitor.run();
    std::array<u32, kChunks> ticks{};
    if (guest.machine().end().kind != End::power_off || !memory.copy_in(std::as_writable_bytes(std::span(ticks)), kGuestResults))
        give_up("nested_fault_library", "the guest did not come to its end");
    Series present, fresh;
    for (u64 i = 0; i < kChunks; ++i) (i < kPresent ? present : fresh).add(ticks[i]);
    report("nested_fault_library", present, empty_sample);
    report("nested_fault_library_filled_2m", fresh, empty_sample);
}

}  // namespace

int libos_main() {
    calibrate();
    measure_svm();
    measure_ring_3();
    measure_library();
    return 0;
}
