// Executing a few bytes of machine code that may well fault, and seeing what came of it: for libOSes that try what
// ring 3 must not do. A program has one such file only: it takes over the handlers for exceptions and page faults.
#pragma once

#include <initializer_list>

#include "tests/system/attack.hpp"

// attempt_code(code, argument): calls code with rdi = argument, rsi = a page of scratch memory. Comes back when the
// code returns, or, through the handlers below, at attempt_over when it faulted.
extern "C" void attempt_code(const tessera::u8* code, tessera::u64 argument, tessera::u8* scratch);
extern "C" [[noreturn]] void attempt_over();
asm(R"(
    .section .guaranteed.text.attempt, "ax"
    .globl attempt_code, attempt_over
attempt_code:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, attempt_rsp
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    call *%rax
attempt_over:
    mov attempt_rsp, %rsp
    xor %eax, %eax
    mov $0x1b, %eax
    mov %eax, %ss
    pushq $0x202
    popfq
    cld
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .section .guaranteed.data.attempt, "aw"
    .globl attempt_rsp
attempt_rsp:
    .quad 0
    .text
)");

namespace tessera::attack {

inline constexpr u64 kNothing = ~u64{0};
inline constexpr u64 kTrapFlag = 0x100;

/// What came of the last attempt.
struct Seen {
    u64 vector, error, address, steps;
};
[[gnu::section(".guaranteed.data.seen")]] inline Seen seen{kNothing, 0, 0, 0};
[[gnu::section(".guaranteed.data.seen")]] inline bool watching = false;

inline void leave(SaveRecord& record) {
    record.rip = reinterpret_cast<u64>(attempt_over);
    record.rflags = 0x202;
}

[[LIBOS_HANDLER, gnu::section(".guaranteed.text.exception")]] inline void on_any_exception(SaveRecord& record) {
    if (!watching) die_of(record);
    if (record.vector == 1 && (record.rflags & kTrapFlag)) {  // a single step: let it go on
        if (++seen.steps < 1000) return;
    }
    seen = {record.vector, record.error, record.rip, seen.steps};
    leave(record);
}

[[LIBOS_HANDLER, gnu::section(".guaranteed.text.fault")]] inline void on_any_fault(SaveRecord& record) {
    if (bind_image_page(VirtAddr{record.address}, record.error)) return;
    if (!watching) die_of(record);
    seen = {14, record.error, record.address, seen.steps};
    leave(record);
}

inline Memory code, data;
inline u8* code_page;  // the same frame as `code`, executable

using Bytes = std::initializer_list<int>;

/// Run machine code; afterwards `seen` says what came of it.
template <class Code>
void run(const Code& bytes, u64 argument = 0) {
    u8* out = code.bytes();
    for (const auto byte : bytes) *out++ = static_cast<u8>(byte);
    *out = 0xc3;  // ret
    seen = {kNothing, 0, 0, 0};
    watching = true;
    attempt_code(code_page, argument, data.bytes());
    watching = false;
}
inline void run(Bytes bytes, u64 argument = 0) { run<Bytes>(bytes, argument); }

/// Before anything else. False: there is no memory to run code in.
inline bool prepare_attempts() {
    need(code, 1);
    need(data, 1);
    const PageNumber page = fresh_pages(1);
    const PageSpan executable = PageSpan::make(page, 1, Right::read | Right::execute).with(SpanFlag::guaranteed);
    if (answer_to<Bind>({address(code.capability), code.frame, executable, {}, {}}) != Error::ok) return false;
    code_page = reinterpret_cast<u8*>(address_of(page).value);
    return set_handler<UpcallKind::exception, on_any_exception>().ok() && set_handler<UpcallKind::page_fault, on_any_fault>().ok();
}

}  // namespace tessera::attack
