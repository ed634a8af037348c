// Paths without a fault: calls, batches, capabilities, frames, bindings, yields.
#pragma once

#include "bench/system/arena.hpp"

namespace tessera::bench {

inline void nothing(u64) {}

inline void measure_calls() {
    measure("null_call", nothing, [](u64) { return enter_kernel<NullCall>({}); });
    static std::array<BatchedCall, 10> batch;
    measure("batch_10_null_calls", nothing, [](u64) { return enter_kernel<Batch>({address(batch), batch.size()}); });
}

inline void measure_capabilities() {
    measure("capability_check", nothing, [](u64) { return enter_kernel<CapabilityCheck>({address(arena.frames)}); });
    measure("capability_check_guaranteed", nothing, [](u64) { return enter_kernel<CapabilityCheck>({address(boot().image)}); });
    VirtAddr stranger;
    measure("capability_check_cold", [&](u64) { stranger = strangers.next().capability; },
            [&](u64) { return enter_kernel<CapabilityCheck>({stranger}); });
}

inline void measure_frames(const char* name, u64 count) {
    static Capability capability;
    bool have = false;
    const auto release = [&](u64) {
        if (have) sure(name, call<FrameRelease>({address(capability), FrameNumber{capability.first}, capability.count}));
        have = true;
    };
    measure(name, release,
            [count](u64) { return enter_kernel<FrameAlloc>({FrameNumber{kAny}, count, 1, address(capability)}); });
    release(0);
}

inline void measure_bindings(u64 count, const char* const (&names)[4]) {
    const VirtAddr entry = address(arena.tlb_entry);
    const auto touch_all = [count] {
        for (u64 page = 0; page < count; ++page) store(arena.at(page));
    };
    const PageSpan readable = arena.span(count, Right::read), writable = arena.span(count);
    measure(names[0], [&](u64) { arena.protect(count, kReadWrite); touch_all(); },
            [&](u64) { return enter_kernel<Protect>({readable, {}}); });
    measure(names[1], [&](u64) { arena.protect(count, Right::read); },
            [&](u64) { return enter_kernel<Protect>({writable, {}}); });
    arena.protect(count, kReadWrite);
    measure(names[2], [&](u64) { arena.bind(count); touch_all(); },
            [&](u64) { return enter_kernel<Unbind>({writable, {}}); });
    measure(names[3], [&](u64) { arena.unbind(count); },
            [&](u64) { return enter_kernel<Rebind>({entry, writable, {}}); });
}

/// Yield in a few instructions: `yield` keeps rsp alone, and the compiler keeps what is live.
[[gnu::always_inline]] inline Answer yield_to(EnvId target) {
    u64 rax = Yield::number, rdi = target.value;
    // Safety: clobbers as in syscalls.hpp.
    asm volatile("syscall"
                 : "+a"(rax), "+D"(rdi)
                 :
                 : "rbx", "rcx", "rdx", "rsi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
    return {static_cast<Error>(rax), 0};
}

/// The environment of that name; zero: none.
inline EnvId find_environment(std::string_view name) {
    for (u64 i = 1; i < kMaxEnvironments; ++i) {
        const EnvironmentInfo& info = environment_info(EnvId{i});
        if (info.id != 0 && name == info.name) return EnvId{info.id};
    }
    return {};
}

inline constexpr u64 kPartnerYields = 200;

/// The other end of the round trip: gives the CPU back so many times, then ends.
[[gnu::noinline]] inline int be_partner(EnvId to) {
    u64 rax = kPartnerYields, rdi = to.value;
    // Safety: rsp, and what is pushed here, is all that is used behind each yield.
    asm volatile(
        "push %%rax\n"
        "push %%rdi\n"
        "1: mov (%%rsp), %%rdi\n"
        "mov $4, %%eax\n"
        "syscall\n"
        "decq 8(%%rsp)\n"
        "jnz 1b\n"
        "add $16, %%rsp\n"
        : "+a"(rax), "+D"(rdi)
        :
        : "rbx", "rcx", "rdx", "rsi", "rbp", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
    return 0;
}

inline void measure_yields() {
    measure("yield_self", nothing, [](u64) { return yield_to({}); });
    const EnvId partner = find_environment("partner");
    if (!partner) give_up("yield_round_trip", "there is no partner");
    measure("yield_round_trip", nothing, [partner](u64) { return yield_to(partner); });
    measure("yield_round_trip_cxx", nothing, [partner](u64) { return enter_yield(partner); });
    while (environment_info(partner).id == partner.value) enter_yield(partner);
}

}  // namespace tessera::bench
