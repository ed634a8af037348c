// Protected control transfer: to a server in another context, and to one in our own.
#pragma once

#include "bench/system/path_calls.hpp"

namespace tessera::bench {

// What the assembly below takes for granted.
static_assert(EntryPublish::number == 28 && TransferAnswer::number == 32 && PostCapability::number == 36);
static_assert(Exit::number == 3 && sizeof(Capability) == 160);

/// Places where the server publishes its entries and posts them, and gates that we bind to them.
enum Service : u64 {
    kAnswer,  ///< Answers with the counter in rsi.
    kNote,    ///< Notes the counter in its memory.
    kStop,    ///< Exits.
    kServices,
};

extern "C" {
[[noreturn]] void bench_serve();
[[gnu::used, gnu::section(".guaranteed.data")]] inline Capability bench_entries[kServices] = {};
[[gnu::used, gnu::section(".guaranteed.data")]] inline volatile u32 bench_arrived = 0;
}

// The shortest server: it has no stack, and reads the counter at its first instruction.
asm(R"(
    .pushsection .guaranteed.text, "ax", @progbits
    .globl bench_serve
bench_serve:
    xor %ebx, %ebx                      # the place
    mov $bench_entries, %ebp
.irp entry, bench_on_answer, bench_on_note, bench_on_stop
    mov $28, %eax
    mov %ebx, %edi
    mov $\entry, %esi
    xor %edx, %edx
    mov %rbp, %r8
    syscall
    mov $36, %eax
    mov %rbp, %rdi
    mov %ebx, %esi
    xor %edx, %edx
    syscall
    inc %ebx
    add $160, %ebp
.endr
bench_wait:
    mov $32, %eax
    syscall
    jmp bench_wait
bench_on_answer:
    rdtsc
    mov %eax, %esi
    mov $32, %eax
    syscall
    jmp bench_wait
bench_on_note:
    rdtsc
    mov %eax, bench_arrived
    jmp bench_wait
bench_on_stop:
    mov $3, %eax
    xor %edi, %edi
    syscall
    .popsection
)");

struct Arrival {
    Answer answer;
    u32 reading;  ///< What the callee left in rsi.
};

/// Through a gate in a few instructions: all that is live is on the stack meanwhile.
template <class Call>
[[gnu::always_inline]] inline Arrival through_gate(u64 gate) {
    u64 rax = Call::number, rdi = gate, rsi = 0;
    // Safety: clobbers as in exokernel/abi/transfer.hpp.
    asm volatile("syscall"
                 : "+a"(rax), "+D"(rdi), "=S"(rsi)
                 :
                 : "rbx", "rcx", "rdx", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
    return {{static_cast<Error>(rax), 0}, static_cast<u32>(rsi)};
}

/// From our last instruction to the callee's first; `go()` goes there and says what it read.
template <class Go>
void measure_one_way(const char* name, Go go) {
    Series series;
    for (u64 round = 0; round < kRounds; ++round) {
        const u32 before = reading_before();
        const Arrival arrival = go();
        if (arrival.answer.error != Error::ok) give_up(name, tessera::name_of(arrival.answer.error));
        if (round >= kWarmUp) series.add(arrival.reading - before);
    }
    report(name, series, empty_sample);
}

/// The gates to what `server` posted, once it did.
inline void bind_gates(EnvId server) {
    for (u64 tries = 0; post_of(server, kStop).owner != server.value; ++tries) {
        if (tries == 100) give_up("pct", "the server posts no entries");
        enter_yield(server);
    }
    for (u64 service = 0; service < kServices; ++service) {
        const Capability entry = post_of(server, service).capability;
        sure("pct", call<GateBind>({address(entry), service}));
    }
}

inline void stop_server() {
    if (through_gate<TransferCall>(kStop).answer.error != Error::ended) give_up("pct", "the server did not stop");
}

inline void measure_transfers() {
    const auto call_it = [](u64) { return through_gate<TransferCall>(kAnswer).answer; };
    const EnvId server = find_environment("server");
    if (!server) give_up("pct_one_way", "there is no server");
    bind_gates(server);
    measure_one_way("pct_one_way", [] { return through_gate<TransferCall>(kAnswer); });
    measure("pct_round_trip", nothing, call_it);
    stop_server();

    static Capability frames, environment;
    sure("pct", call<FrameAlloc>({FrameNumber{kAny}, kEnvFrames, 1, address(frames)}));
    const EnvSpec spec{address(boot().context), address(frames), VirtAddr{reinterpret_cast<u64>(bench_serve)}, 0, 0, "neighbour"};
    bind_gates(sure("pct", call<EnvCreate>({address(spec), address(environment)})));
    measure_one_way("pct_one_way_same_context", [] { return through_gate<TransferCall>(kAnswer); });
    measure("pct_round_trip_same_context", nothing, call_it);
    measure_one_way("pct_send_same_context", [] {
        const Answer answer = through_gate<TransferSend>(kNote).answer;
        return Arrival{answer, bench_arrived};
    });
    stop_server();
}

}  // namespace tessera::bench
