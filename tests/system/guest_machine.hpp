// A guest for tests, as small as one can be: one virtual CPU in long mode over a handful of physical pages, with its code
// in one of them. No monitor: the calls themselves are what is tried.
#pragma once

#include "exokernel/abi/control_block.hpp"
#include "tests/system/attack.hpp"

namespace tessera::attack {

/// A context and the frames that it was made of.
struct GuestContext {
    Memory memory;
    ContextGrant grant;
};

inline Error make_context(GuestContext& made, ContextKind kind) {
    ContextSpec spec{{}, 128, 16, 32, kind};
    if (!take(made.memory, spec.frames_needed())) return Error::exhausted;
    spec.frames = address(made.memory.capability);
    return answer_to<ContextCreate>({address(spec), address(made.grant)});
}

/// A guest with its state page bound.
struct TestGuest {
    Memory memory;
    GuestGrant grant;
    u64 number;
    PageNumber state_page{0};  ///< Made again, it has it again: a guaranteed page among few can be in the way of another.

    GuestState& state() const { return *reinterpret_cast<GuestState*>(address_of(state_page).value); }
};

/// In whichever frames there are, or in those from `first` on.
inline Error make_guest(TestGuest& made, GuestForm form, FrameNumber first = {kAny}) {
    if (!take(made.memory, kGuestFrames, 1, first)) return Error::exhausted;
    const GuestSpec spec{address(made.memory.capability), form};
    const auto number = call<GuestCreate>({address(spec), address(made.grant)});
    if (!number) return number.error();
    made.number = number.value();
    if (made.state_page.value == 0) made.state_page = fresh_pages(1);
    return answer_to<Bind>({address(made.grant.state), FrameNumber{made.grant.state.first},
                            PageSpan::make(made.state_page, 1, Right::read | Right::write).with(SpanFlag::guaranteed), {}, {}});
}

// Its physical memory.
inline constexpr u64 kTables = 0, kCode = 3, kData = 4, kGuestMemory = 6;

/// Tables that map its first 2 MiB to themselves.
inline void write_tables(const Memory& memory, u64 flags = 7) {
    u64* words = memory.words();
    words[0] = 0x1000 | flags;
    words[512] = 0x2000 | flags;
    words[1024] = 0x80 | flags;
}

inline void write_code(const Memory& memory, std::initializer_list<u8> bytes) {
    u8* at = memory.bytes() + (kCode << kPageShift);
    for (const u8 byte : bytes) *at++ = byte;
}

/// CR4.PKE on; xor %ecx, %ecx; rdpkru; mov %eax, %ebx; all keys but 0 locked; vmmcall.
inline constexpr std::initializer_list<u8> kLockKeys = {0x0f, 0x20, 0xe0, 0x0f, 0xba, 0xe8, 0x16, 0x0f, 0x22, 0xe0, 0x31, 0xc9, 0x0f, 0x01, 0xee,
                                                        0x89, 0xc3, 0xb8, 0x54, 0x55, 0x55, 0x55, 0x31, 0xd2, 0x0f, 0x01, 0xef, 0x0f, 0x01, 0xd9};
inline bool has_protection_keys() {
    u32 eax = 7, ebx, ecx = 0, edx;
    asm("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return ecx & 1 << 3;
}

/// Long mode, ring 0, interrupts off, at the beginning of the page of code.
inline void set_long_mode(GuestState& state) {
    state.rip = kCode << kPageShift;
    state.rsp = (kData + 1) << kPageShift;
    state.rflags = 2;
    state.event = state.wishes = 0;
    state.cr0 = 0x8001'0033;
    state.cr3 = kTables << kPageShift;
    state.cr4 = 0x20;
    state.efer = 0x500;
    state.cs = {0x08, 0xa9b, ~u32{0}, 0};
    state.es = state.ss = state.ds = state.fs = state.gs = {0x10, 0xc93, ~u32{0}, 0};
    state.tr = {0x18, 0x8b, 0x67, 0};
    state.ldtr = {0, 0x82, 0, 0};
    constexpr auto exit = [](GuestExit cause) { return u64{1} << (static_cast<u64>(cause) - 0x60); };
    state.intercept_instructions = exit(GuestExit::cpuid) | exit(GuestExit::hlt);
    state.changed = kAllGuestParts;
}

inline Result<u64> run(const TestGuest& guest, u64 place = 0) { return call<GuestRun>({guest.number, place}); }

/// It must exit for that reason.
inline void expect_exit(const char* what, const TestGuest& guest, GuestExit wanted, u64 plus = 0) {
    for (;;) {
        const auto exit = run(guest);
        expect(what, exit.error(), Error::ok, exit.ok() ? 0 : exit.failure().detail);
        if (!exit) return;
        if (exit.value() == static_cast<u64>(GuestExit::interrupted)) continue;
        expect_true(what, exit.value() == static_cast<u64>(wanted) + plus && exit.value() == guest.state().exit, exit.value());
        return;
    }
}

}  // namespace tessera::attack
