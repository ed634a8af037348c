// Paths that begin with a fault: refills, exceptions, page faults resolved by the libOS.
#pragma once

#include "bench/system/arena.hpp"
#include "bench/system/raw_handlers.hpp"

namespace tessera::bench {

// ---- the kernel refills from the S-TLB; the libOS never knows

inline void measure_refills() {
    const VirtAddr page = arena.at(0);
    const auto forget = [](u64) {
        store(arena.at(0));
        sure("stlb_refill", call<ClearBits>({arena.span(1), 3, {}}));
    };
    measure("stlb_refill", forget, [page](u64) { return load(page), done(); });
    measure("stlb_refill_write", forget, [page](u64) { return store(page), done(); });

    // A page of code that holds one `ret`.
    static Capability frames, tlb_entry;
    const PageNumber code = kArena + kArenaPages;
    const FrameNumber frame = sure("code", call<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(frames)}));
    sure("code", call<Bind>({address(frames), frame, PageSpan::make(code, 1, kReadWrite), {}, address(tlb_entry)}));
    *reinterpret_cast<volatile u8*>(address_of(code).value) = 0xc3;
    const PageSpan span = PageSpan::make(code, 1, Right::read | Right::execute);
    sure("code", call<Protect>({span, {}}));
    const auto run = reinterpret_cast<void (*)()>(address_of(code).value);
    run();
    const u64 overhead = 2;  // call and ret
    const u32 before = empty_sample;
    empty_sample += overhead;
    measure("stlb_refill_fetch", [span](u64) { sure("code", call<ClearBits>({span, 1, {}})); },
            [run](u64) { return run(), done(); });
    empty_sample = before;
}

// ---- exceptions

[[LIBOS_HANDLER]] inline void on_breakpoint(SaveRecord&) {}
[[LIBOS_HANDLER]] inline void on_ud2(SaveRecord& record) { record.rip += 2; }

inline void measure_exceptions() {
    // Not functions: the compiler would call them.
    const auto breakpoint = [](u64) {
        asm volatile("int3" : : : "memory");
        return done();
    };
    const auto undefined = [](u64) {
        asm volatile("ud2" : : : "memory");
        return done();
    };
    sure("exception_resume", set_entry(UpcallKind::exception, raw_resume));
    measure("exception_resume", nothing, breakpoint);
    sure("exception_resume", set_entry(UpcallKind::exception, raw_skip_ud2));
    measure("exception_resume_ud2", nothing, undefined);

    sure("exception_delivery", set_entry(UpcallKind::exception, raw_delivery));
    Series delivery;
    for (u64 round = 0; round < kRounds; ++round) {
        const u32 before = reading_before();
        asm volatile("int3" : : : "memory");
        if (round >= kWarmUp) delivery.add(bench_delivered - before);
    }
    report("exception_delivery", delivery, empty_sample + 1);  // raw_delivery's first `mov`

    sure("exception_resume_cxx", set_handler<UpcallKind::exception, on_breakpoint>());
    measure("exception_resume_cxx", nothing, breakpoint);
    sure("exception_resume_ud2_cxx", set_handler<UpcallKind::exception, on_ud2>());
    measure("exception_resume_ud2_cxx", nothing, undefined);
    sure("exceptions", set_handler<UpcallKind::exception, on_exception>());
}

// ---- page faults that the libOS resolves

struct Resolver {
    VirtAddr capability;  ///< TLB-entry, or for resolve_by_frame the frame's.
    u64 resolved = 0;
    FrameNumber frame;
};
[[gnu::section(".guaranteed.data")]] inline Resolver resolver;

/// The shortest C++ that resolves a fault: re-install under the TLB-entry capability of the day.
[[gnu::section(".guaranteed.text")]] inline bool resolve(VirtAddr at, u64) {
    ++resolver.resolved;
    const PageSpan span = PageSpan::make(page_of(at), 1, kReadWrite);
    return enter_kernel<Rebind>({resolver.capability, span, {}}).error == Error::ok;
}

/// The same with a frame, under its own capability.
[[gnu::section(".guaranteed.text")]] inline bool resolve_by_frame(VirtAddr at, u64) {
    ++resolver.resolved;
    const PageSpan span = PageSpan::make(page_of(at), 1, kReadWrite);
    return enter_kernel<Bind>({resolver.capability, resolver.frame, span, {}, {}}).error == Error::ok;
}

/// Make the page writable: it is bound, only protected.
[[gnu::section(".guaranteed.text")]] inline bool unprotect(VirtAddr at, u64) {
    ++resolver.resolved;
    const PageSpan span = PageSpan::make(page_of(at), 1, kReadWrite).with(SpanFlag::dirty);
    return enter_kernel<Protect>({span, {}}).error == Error::ok;
}

inline void measure_faults() {
    const VirtAddr page = arena.at(0);
    const auto drop = [](u64) { arena.unbind(1); };
    resolver.capability = address(arena.tlb_entry);
    set_fault_policy(resolve);
    measure("fault_rebind_warm", drop, [page](u64) { return load(page), done(); });
    VirtAddr cold;
    measure("fault_rebind_cold", [&](u64) {
        const auto stranger = strangers.next();
        resolver.capability = stranger.capability;
        cold = address_of(stranger.page);
    }, [&](u64) { return load(cold), done(); });
    set_fault_policy(resolve_by_frame);
    forgotten.open();
    measure("fault_resolve_cold", [&](u64) {
        const auto own = forgotten.next();
        resolver.capability = own.capability;
        resolver.frame = own.frame;
        cold = address_of(own.page);
    }, [&](u64) { return load(cold), done(); });
    if (resolver.resolved != 3 * kRounds) give_up("fault_rebind_warm", "other faults than expected");

    sure("raw", set_entry(UpcallKind::page_fault, raw_resolve));
    bench_tlb_entry = address(arena.tlb_entry).value;
    measure("fault_rebind_warm_raw", drop, [page](u64) { return load(page), done(); });
    measure("fault_rebind_cold_raw", [&](u64) {
        const auto stranger = strangers.next();
        bench_tlb_entry = stranger.capability.value;
        cold = address_of(stranger.page);
    }, [&](u64) { return load(cold), done(); });
    sure("raw", route(UpcallKind::page_fault, on_page_fault));
    set_fault_policy(nullptr);
}

/// Appel and Li's first: protect a page, write to it, let the handler unprotect it.
[[gnu::always_inline]] inline Answer protect_and_write(VirtAddr page) {
    const Answer answer = enter_kernel<Protect>({PageSpan::make(page_of(page), 1, Right::read), {}});
    store(page);
    return answer;
}

inline void measure_appel() {
    constexpr u64 kPages = 100;
    const VirtAddr page = arena.at(0);
    set_fault_policy(unprotect);
    arena.bind(kArenaPages);
    for (u64 i = 0; i < kArenaPages; ++i) store(arena.at(i));
    resolver.resolved = 0;
    measure("appel1", nothing, [page](u64) { return protect_and_write(page); });
    if (resolver.resolved != kRounds) give_up("appel1", "other faults than expected");
    // And the second: protect a hundred, then write to each.
    measure("appel2_100", nothing, [](u64) {
        const Answer answer = enter_kernel<Protect>({arena.span(kPages, Right::read), {}});
        for (u64 i = 0; i < kPages; ++i) store(arena.at(i));
        return answer;
    });
    if (resolver.resolved != kRounds * (kPages + 1)) give_up("appel2", "other faults than expected");
    sure("raw", set_entry(UpcallKind::page_fault, raw_unprotect));
    measure("appel1_raw", nothing, [page](u64) { return protect_and_write(page); });
    sure("raw", route(UpcallKind::page_fault, on_page_fault));
}

}  // namespace tessera::bench
