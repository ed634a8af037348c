// A small guest that fills 1024 pages, of four kinds by turns: zeros, pages that all such guests have, pages of its own, one page all
// over; and then looks at them, writes them anew, or races, as it is told. What tests of memory across guests share.
#pragma once

#include <algorithm>

#include "tests/system/managed_guests.hpp"

extern "C" const std::byte filler_code[], filler_code_end[];

// In: 0xe0 its number, 0xe1 what to do. Out: 0xe2 what was done. r13: what is its own, r14: how often all was written.
asm(R"(
    .section .rodata.guest, "a"
    .globl filler_code, filler_code_end
filler_code:
    in $0xe0, %eax
    mov %rax, %r13
    shl $32, %r13
    xor %r14d, %r14d
    call write_all
    mov $2, %eax
    out %eax, $0xe2
next:
    in $0xe1, %eax
obey:
    cmp $1, %eax
    je look
    cmp $2, %eax
    je write
    cmp $3, %eax
    je off
    cmp $4, %eax
    je die
    cmp $5, %eax
    je race
    jmp next
off:
    cli
    hlt
die:
    xor %esp, %esp
    ud2
write:
    inc %r14
    call write_all
    mov $2, %eax
    out %eax, $0xe2
    jmp next
look:
    xor %ebx, %ebx
1:  call look_at_one
    jne wrong
    inc %ebx
    cmp $1024, %ebx
    jne 1b
    mov $1, %eax
    out %eax, $0xe2
    jmp next
race:                           # every page, and back at once, as long as it is told so
    inc %r14
    xor %ebx, %ebx
1:  call write_one
    call look_at_one
    jne wrong
    inc %ebx
    cmp $1024, %ebx
    jne 1b
    in $0xe1, %eax
    jmp obey
wrong:
    mov $0x80000000, %eax
    or %ebx, %eax
    out %eax, $0xe2
    jmp next
write_all:
    xor %ebx, %ebx
1:  call write_one
    inc %ebx
    cmp $1024, %ebx
    jne 1b
    ret
contents:                       # of page ebx: the word rax, 512 times at rdi
    mov %ebx, %edi
    shl $12, %edi
    add $0x200000, %edi
    mov $512, %ecx
    mov %ebx, %edx
    and $3, %edx
    mov $0, %eax
    je 1f
    mov $0x7e55e7a, %eax
    cmp $3, %edx
    je 1f
    imul $0x9e3779b1, %ebx, %eax
    cmp $2, %edx
    jne 1f
    xor %r13, %rax
1:  add %r14, %rax
    ret
write_one:
    call contents
    rep stosq
    ret
look_at_one:
    call contents
    repe scasq
    ret
filler_code_end:
    .previous
)");

namespace tessera::guest_test {

inline constexpr u64 kFillerFrames = 2048, kFirst = 512, kPages = 1024;
enum Kind : u64 { kZeros, kCommon, kOwn, kOnePage, kKinds };
enum Order : u32 { kWait, kLook, kWrite, kOff, kDie, kRace };
inline constexpr u32 kIsRight = 1, kHasWritten = 2, kWrongPage = 0x8000'0000;  // the last with the page's number

inline std::span<const std::byte> filler() { return {filler_code, static_cast<u64>(filler_code_end - filler_code)}; }

/// What the guests are told, and what they say.
class TestBoard final : public QuietBoard {
  public:
    u32 number = 0, order = kWait, said = 0;
    u32 awaited = kHasWritten;  ///< Its answer to what it was told; 0: none.

    void tell(Order what, u32 answer) {
        order = what;
        said = 0;
        awaited = answer;
    }
    // An order is for one time, but for the race.
    u32 read_port(u16 port, u32) override {
        if (port == 0xe0) return number;
        const u32 now = order;
        if (order != kRace) order = kWait;
        return now;
    }
    void write_port(u16 port, u32, u32 value) override {
        if (port != 0xe2) return;
        said = value;
        expect("a page", (value & kWrongPage) == 0, value & ~kWrongPage);
    }
};

using FillerGuest = ManagedGuest<TestBoard>;

/// Steps of all guests together.
class FillerSteps : public Steps {
  protected:
    FillerSteps(std::span<FillerGuest> guests, MemoryManager& manager, u64 last) : Steps(last), guests_(guests), manager_(manager) {}
    ~FillerSteps() = default;

    void tell_all(Order order, u32 answer) {
        for (FillerGuest& each : guests_) each.board.tell(order, answer);
    }
    /// All guests look whether their memory is as it was.
    void look() { tell_all(kLook, kIsRight); }
    /// Nothing is waited for any more.
    void await_nothing() {
        for (FillerGuest& each : guests_) each.board.awaited = 0;
        until_pass_ = 0;
    }
    void await_passes(u64 count) { until_pass_ = manager_.scanned_through() + count; }

    /// Has every guest that still runs answered what it was told?
    bool all_answered() const {
        return std::ranges::all_of(guests_, [](const FillerGuest& each) {
            return !each.is_running() || each.board.awaited == 0 || each.board.said == each.board.awaited;
        });
    }
    bool passes_are_over() const { return manager_.scanned_through() >= until_pass_; }

    const std::span<FillerGuest> guests_;
    MemoryManager& manager_;

  private:
    u64 until_pass_ = 0;
};

}  // namespace tessera::guest_test
