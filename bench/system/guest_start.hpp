// A guest that is a page of code, for measurements: in 64-bit mode with its first GiB mapped one to one, or in ring 3.
//
//   1000 page tables   4000 code   5000 a page that comes and goes   6000 stack, downwards   7000 what it measured
#pragma once

#include "bench/system/sample.hpp"
#include "libos/core/pages.hpp"
#include "libos/vmm/monitor/guest_context.hpp"
#include "libos/vmm/monitor/guest_cpu.hpp"

namespace tessera::bench {

inline constexpr u64 kGuestTables = 0x1000, kGuestCode = 0x4000, kGuestPage = 0x5000, kGuestStack = 0x7000, kGuestResults = 0x7000;
inline constexpr u64 kGuestPages = 8;

/// Its tables: `write(guest_physical, word)`.
template <class Write>
void write_guest_tables(Write&& write) {
    constexpr u64 kPresentWritableUser = 7, kLarge = 0x80;
    write(kGuestTables, (kGuestTables + kPageSize) | kPresentWritableUser);
    write(kGuestTables + kPageSize, (kGuestTables + 2 * kPageSize) | kPresentWritableUser);
    for (u64 i = 0; i < kPagesPerLarge; ++i)
        write(kGuestTables + 2 * kPageSize + 8 * i, (i << kLargeShift) | kPresentWritableUser | kLarge);
}

/// Proposals for a start at kGuestCode in ring 0, with interrupts off.
inline void write_guest_start(GuestState& state) {
    state.cs = {0x08, 0xa9b, ~u32{0}, 0};
    state.es = state.ss = state.ds = state.fs = state.gs = {0x10, 0xc93, ~u32{0}, 0};
    state.tr = {0x18, 0x8b, 0x67, 0};
    state.ldtr = {0, 0x82, 0, 0};
    state.cr0 = 0x8001'0033;
    state.cr3 = kGuestTables;
    state.cr4 = 0x20;
    state.efer = 0x500;
    state.rip = kGuestCode;
    state.rsp = kGuestStack;
    state.rflags = 2;
    state.changed = kAllGuestParts;
}

/// One through the bare calls: kGuestPages of memory, bound in its context and here.
struct BareGuest {
    vmm::GuestContext context;
    vmm::GuestCpu cpu;
    Capability frames;
    FrameNumber first{};

    u8* memory() const { return reinterpret_cast<u8*>(address_of(page_).value); }

    /// Errors: unsupported: this CPU has no such form.
    Outcome open(GuestForm form, ContextKind kind) {
        TRY(context.open(kind, kGuestPages));
        TRY(cpu.open(form));
        TRY(cpu.load(0, context.capability()));
        page_ = TRY(libos::map_guaranteed(kGuestPages, frames));
        first = FrameNumber{frames.first};
        for (u64 page = 0; page < kGuestPages; ++page) TRY(bind(page));
        return Done{};
    }
    Result<u64> bind(u64 page) {
        return libos::call<Bind>({address(frames), first + page, span(page), context.capability(), {}});
    }
    PageSpan span(u64 page) const { return PageSpan::make(PageNumber{page}, 1, Right::read | Right::write | Right::execute); }

    /// Until it exits for a reason of its own.
    GuestExit run(const char* name) {
        for (;;) {
            const GuestExit exit = sure(name, cpu.run(0));
            if (exit != GuestExit::interrupted) return exit;
        }
    }

  private:
    PageNumber page_{};
};

}  // namespace tessera::bench
