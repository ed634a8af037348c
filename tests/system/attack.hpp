// What the hostile programs share. Each attempt says what the kernel must answer; a wrong answer is printed and
// counted, and a program passes only if it made attempts and every answer was right.
#pragma once

#include <array>

#include "libos/core/libos.hpp"

namespace tessera::attack {

using namespace tessera::libos;

inline u64 attempts;
inline u64 wrong;

/// One attempt: `got` must be `wanted`. `detail` says which one of many it was.
inline void expect(const char* what, Error got, Error wanted, u64 detail = 0) {
    ++attempts;
    if (got == wanted) return;
    if (++wrong <= 40) print("WRONG ", what, " (", hex(detail), "): ", name_of(got), ", expected ", name_of(wanted), "\n");
}

/// The same for a fact.
inline void expect_true(const char* what, bool fact, u64 detail = 0) {
    ++attempts;
    if (fact) return;
    if (++wrong <= 40) print("WRONG ", what, " (", hex(detail), ")\n");
}

/// The program's exit code, with a line and a record that say how much was tried.
inline int verdict(const char* what) {
    print(what, ": ", attempts, " attempts, ", wrong, " wrong answers\n");
    const bool told = record("campaign", what, "attempts", attempts, "wrong", wrong).ok();
    return told && attempts != 0 && wrong == 0 ? 0 : 1;
}

/// What the kernel says to a call.
template <class Call>
Error answer_to(const typename Call::Args& args) {
    return call<Call>(args).error();
}

/// Let somebody else run.
inline Error yield(EnvId target = {}) { return answer_to<Yield>({target}); }

/// Any call by number with any words; nothing is bound on the way.
inline Answer raw_call(u64 number, const std::array<u64, 5>& words) {
    u64 rax = number, rdi = words[0], rsi = words[1], rdx = words[2];
    register u64 r8 asm("r8") = words[3];
    register u64 r9 asm("r9") = words[4];
    // Safety: clobbers as in syscalls.hpp.
    asm volatile("syscall"
                 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r8), "+r"(r9)
                 :
                 : "rcx", "r10", "r11", "memory", "cc");
    return {static_cast<Error>(rax), rdx};
}

/// Addresses that nobody else uses, and one unbound page behind each piece.
inline PageNumber fresh_pages(u64 count, u64 alignment = 1) {
    static u64 next = 0x1'0100;  // away from the image in a direct-mapped S-TLB
    const u64 first = (next + alignment - 1) & ~(alignment - 1);
    next = first + count + 1;
    return PageNumber{first};
}

/// Frames with the capability for them, and pages to bind them at.
struct Memory {
    Capability capability;
    FrameNumber frame;
    PageNumber page;
    u64 count;

    u8* bytes() const { return reinterpret_cast<u8*>(address_of(page).value); }
    u64* words() const { return reinterpret_cast<u64*>(address_of(page).value); }
    VirtAddr at(u64 offset = 0) const { return address_of(page) + offset; }
};

/// Take `count` frames: any, or those from `first` on. False: there are none.
inline bool take(Memory& memory, u64 count, u64 alignment = 1, FrameNumber first = {kAny}) {
    const auto frame = call<FrameAlloc>({first, count, alignment, address(memory.capability)});
    if (!frame) return false;
    memory.frame = frame.value();
    memory.count = count;
    memory.page = fresh_pages(count, alignment);
    return true;
}

/// Bind the memory guaranteed, so that it is never evicted behind our back.
inline Error bind_all(const Memory& memory, Rights rights = Right::read | Right::write, VirtAddr context = {}) {
    const PageSpan span = PageSpan::make(memory.page, memory.count, rights).with(SpanFlag::guaranteed);
    return answer_to<Bind>({address(memory.capability), memory.frame, span, context, {}});
}

inline Error unbind_all(const Memory& memory, VirtAddr context = {}) {
    return answer_to<Unbind>({PageSpan::make(memory.page, memory.count), context});
}

/// Taken and bound, or the end: nothing could be tried without it.
inline void need(Memory& memory, u64 count, u64 alignment = 1) {
    if (take(memory, count, alignment) && bind_all(memory) == Error::ok) return;
    print("WRONG no memory to attack with\n");
    exit(3);
}

inline u64 random_word(u64& state) {  // xorshift64* (Vigna 2016)
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545'f491'4f6c'dd1d;
}

}  // namespace tessera::attack
