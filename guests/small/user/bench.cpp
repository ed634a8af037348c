// What the kernel's primitives cost here: one JSON line each, in ticks of the time-stamp counter for one operation
// (under QEMU's -icount shift=0 these are instructions). Time in which nobody was ready is in `idle`, not in `ticks`.
// `only=wire`: packets of several sizes and nothing else. The same program runs in every kind of guest; before each line it says what is measured next, for monitors that count.

#include <cstring>

#include "guests/small/user/peer.hpp"
#include "guests/small/user/user.hpp"
#include "guests/small/words.hpp"

namespace small {
namespace {

constexpr u64 kPage = 4096;

/// What went by, and how much of it nobody was ready for.
struct Span {
    u64 all = ticks(), idle = static_cast<u64>(call(Call::idle_time));
    Span since(const Span& begin) const { return {all - begin.all, idle - begin.idle}; }
};

/// What happens between this line and the report is the measurement, and its warming up.
void begin(const char* name) { print("small: measures ", name, "\n"); }

void report(const char* name, u64 n, Span spent) {
    print("{\"bench\":\"", name, "\",\"n\":", n, ",\"ticks\":", n != 0 ? (spent.all - spent.idle) / n : 0, ",\"total\":", spent.all,
          ",\"idle\":", spent.idle, "}\n");
}
void report(const char* name, u64 n, u64 total) { report(name, n, Span{total, 0}); }

/// `body` once to warm up, then n times.
template <class Body>
Span time_of(u64 n, Body body) {
    body();
    const Span begin;
    for (u64 i = 0; i < n; ++i) body();
    return Span{ticks(), static_cast<u64>(call(Call::idle_time))}.since(begin);
}

void null_syscall() {
    constexpr u64 kCalls = 10'000;
    begin("null_syscall");
    report("null_syscall", kCalls, time_of(kCalls, [] { call(Call::null); }));
}

/// Each in a pass of its own, over several runs of pages.
void memory() {
    constexpr u64 kPages = 256, kRuns = 8;
    u64 runs[kRuns];
    for (u64& run : runs) run = static_cast<u64>(call(Call::map, kPages));
    const auto pass = [&](const char* name, u64 times, auto body) {
        begin(name);
        const u64 from = ticks();
        for (const u64 run : runs) body(run);
        report(name, times * kPages * kRuns, ticks() - from);
    };
    pass("page_fault", 1, [](u64 run) {
        // Safety: pages that were just mapped.
        for (u64 i = 0; i < kPages; ++i) *reinterpret_cast<volatile u8*>(run + i * kPage) = 1;
    });
    pass("page_table_update", 2, [](u64 run) {
        call(Call::protect, run, kPages, 0);
        call(Call::protect, run, kPages, kMayWrite);
    });
    pass("unmap", 1, [](u64 run) { call(Call::unmap, run, kPages); });
}

void process_switch() {
    constexpr u64 kYields = 2'000;
    if (call(Call::fork) == 0) {
        for (u64 i = 0; i < 2 * kYields; ++i) call(Call::yield);
        exit(0);
    }
    begin("process_switch");
    const Span total = time_of(kYields, [] { call(Call::yield); });
    report("process_switch", 2 * kYields, total);  // There and back.
    u64 status;
    call(Call::wait, address_of(&status));
}

void processes() {
    constexpr u64 kForks = 100;
    begin("fork_exit_wait");
    report("fork_exit_wait", kForks, time_of(kForks, [] { status_of_child([] { return u64{0}; }); }));
    begin("spawn_exit_wait");
    report("spawn_exit_wait", kForks, time_of(kForks, [] {
               u64 status;
               call(Call::spawn, address_of("nothing"), 7);
               call(Call::wait, address_of(&status));
           }));
}

/// Reads the clock all the time; where it jumps, an interrupt was served.
void timer_interrupt() {
    constexpr u64 kInterrupts = 50, kHertz = 1000, kUsualHertz = 100;
    call(Call::set_timer, kHertz);
    begin("timer_interrupt");
    const u64 start = static_cast<u64>(call(Call::clock));
    u64 jumps = 0, most = 0, total = 0, least = ~u64{0};
    for (u64 last = ticks(); jumps < kInterrupts;) {
        const u64 now = ticks(), gap = now - last;
        last = now;
        if (gap < least) least = gap;
        if (gap < 16 * least) continue;
        ++jumps, total += gap - least;
        if (gap > most) most = gap;
    }
    const u64 interrupts = static_cast<u64>(call(Call::clock)) - start;
    call(Call::set_timer, kUsualHertz);
    print("{\"bench\":\"timer_interrupt\",\"n\":", jumps, ",\"ticks\":", total / jumps, ",\"total\":", total,
          ",\"clock\":", interrupts, ",\"most\":", most, "}\n");
}

void disk() {
    constexpr u64 kReads = 100;
    alignas(kPage) static u8 block[kPage];
    if (call(Call::block_sectors) <= 0) return;
    u64 sector = 0;
    begin("block_read");
    report("block_read", kReads, time_of(kReads, [&] { call(Call::block_read, 8 * (sector++ % 16), address_of(block)); }));
}

void packets(Peer& peer, const char* name, u64 size) {
    constexpr u64 kPackets = 100;
    u64 sequence = 0, answered = 0;
    begin(name);
    const Span total = time_of(kPackets, [&] { answered += peer.echo(static_cast<u16>(sequence++), size); });
    report(name, answered != 0 ? answered - 1 : 0, total);
}

/// `sizes`: of several lengths, which is no part of the usual round.
void wire(bool sizes) {
    static Peer peer;
    if (!peer.find()) return;
    packets(peer, "packet_and_answer", 56);
    if (!sizes) return;
    packets(peer, "packet_256", 256);  // The first large ones warm up.
    packets(peer, "packet_256", 256);
    packets(peer, "packet_512", 512);
    packets(peer, "packet_1024", 1024);
    packets(peer, "packet_1472", 1472);
}

/// In pieces, of which the least is told too: on a host that has other work, it is the one that was disturbed least.
void compute() {
    constexpr u64 kPieces = 20, kRounds = 1'000'000;
    u64 value = 1, total = 0, least = ~u64{0};
    begin("compute");
    for (u64 piece = 0; piece < kPieces; ++piece) {
        const u64 from = ticks();
        for (u64 i = 0; i < kRounds; ++i) {
            value = value * 6364136223846793005 + 1442695040888963407;
            asm volatile("" : "+r"(value));  // Keep the loop.
        }
        const u64 took = ticks() - from;
        total += took;
        if (took < least) least = took;
    }
    print("{\"bench\":\"compute\",\"n\":", kPieces * kRounds, ",\"ticks\":", total / (kPieces * kRounds), ",\"total\":", total,
          ",\"least\":", least * kPieces, "}\n");
}

}  // namespace

u64 program_main() {
    Word value;
    if (find_option(command_line(), "only", value)) {
        wire(value.is("wire"));
        return 0;
    }
    null_syscall();
    memory();
    process_switch();
    processes();
    timer_interrupt();
    disk();
    wire(false);
    compute();
    print("small: benchmarks done\n");
    return 0;
}

}  // namespace small
