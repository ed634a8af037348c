// Looks for what others left behind: in every general register, in SSE and x87 registers and their control words, in
// segment bases, in frames; and for translations that outlived their binding. Several copies run side by side, each
// with patterns of its own, preempted in the middle of them.
#include "tests/system/children.hpp"

using namespace tessera;
using namespace tessera::attack;

// hold_pattern(pattern, rounds): every general register but rsp and the counter, and every XMM register, hold numbers
// made of `pattern` for so many rounds; answers how many of them were something else afterwards.
extern "C" u64 hold_pattern(u64 pattern, u64 rounds);
asm(R"(
    .text
    .globl hold_pattern
.macro each_gpr operation
    \operation rax, 1
    \operation rbx, 2
    \operation rdx, 3
    \operation rsi, 4
    \operation rbp, 5
    \operation r8, 6
    \operation r9, 7
    \operation r10, 8
    \operation r11, 9
    \operation r12, 10
    \operation r13, 11
    \operation r14, 12
    \operation r15, 13
.endm
.macro set_gpr name, n
    lea \n(%rdi), %\name
.endm
.macro check_gpr name, n
    sub $\n, %\name
    cmp %rdi, %\name
    je 1f
    incq -8(%rsp)
1:
.endm
.macro each_xmm operation
    \operation 0
    \operation 1
    \operation 2
    \operation 3
    \operation 4
    \operation 5
    \operation 6
    \operation 7
    \operation 8
    \operation 9
    \operation 10
    \operation 11
    \operation 12
    \operation 13
    \operation 14
    \operation 15
.endm
.macro set_xmm n
    lea 100+\n(%rdi), %rax
    movq %rax, %xmm\n
.endm
.macro check_xmm n
    movq %xmm\n, %rax
    sub $100+\n, %rax
    cmp %rdi, %rax
    je 1f
    incq -8(%rsp)
1:
.endm
hold_pattern:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    movq $0, -8(%rsp)
    mov %rsi, %rcx
    each_xmm set_xmm
    each_gpr set_gpr
2:  dec %rcx
    jnz 2b
    each_gpr check_gpr
    each_xmm check_xmm
    mov -8(%rsp), %rax
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

    # A child's first instructions: everything that it finds, into the page at rdi.
    .globl report_registers
report_registers:
    mov %rax, 0(%rdi)
    mov %rbx, 8(%rdi)
    mov %rcx, 16(%rdi)
    mov %rdx, 24(%rdi)
    mov %rsi, 32(%rdi)
    mov %rbp, 40(%rdi)
    mov %rsp, 48(%rdi)
    mov %r8, 56(%rdi)
    mov %r9, 64(%rdi)
    mov %r10, 72(%rdi)
    mov %r11, 80(%rdi)
    mov %r12, 88(%rdi)
    mov %r13, 96(%rdi)
    mov %r14, 104(%rdi)
    mov %r15, 112(%rdi)
    rdfsbase %rax
    mov %rax, 128(%rdi)
    rdgsbase %rax
    mov %rax, 136(%rdi)
    fxsave64 512(%rdi)
    movq $1, 120(%rdi)
    mov $3, %eax
    xor %edi, %edi
    syscall
    ud2

    # yield_with(pattern, out): every register full, yield to whoever wants, and what is in them afterwards.
    .globl yield_with
yield_with:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsi, kept_out
    each_gpr set_gpr
    mov $4, %eax
    xor %edi, %edi
    syscall
    mov %rdi, kept_rdi
    mov kept_out, %rdi
    mov %rax, 0(%rdi)
    mov %rbx, 8(%rdi)
    mov %rdx, 24(%rdi)
    mov %rsi, 32(%rdi)
    mov %rbp, 40(%rdi)
    mov %r8, 56(%rdi)
    mov %r9, 64(%rdi)
    mov %r10, 72(%rdi)
    mov %r12, 88(%rdi)
    mov %r13, 96(%rdi)
    mov %r14, 104(%rdi)
    mov %r15, 112(%rdi)
    mov kept_rdi, %rax
    mov %rax, 48(%rdi)
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret
    .data
kept_out: .quad 0
kept_rdi: .quad 0
    .text
)");
extern "C" void report_registers();
extern "C" void yield_with(u64 pattern, u64* out);

namespace {

/// The pattern's upper half says whose it is; `own` is in it.
u64 own;

void set_control_words(u16 x87, u32 mxcsr) {
    asm volatile("fldcw %0; ldmxcsr %1" ::"m"(x87), "m"(mxcsr));
}
bool control_words_are(u16 x87, u32 mxcsr) {
    u16 found87;
    u32 found;
    asm volatile("fnstcw %0; stmxcsr %1" : "=m"(found87), "=m"(found));
    return found87 == x87 && found == mxcsr;
}

void set_bases(u64 base) {
    asm volatile("wrfsbase %0; wrgsbase %0" ::"r"(base));
}
bool bases_are(u64 base) {
    u64 fs, gs;
    asm volatile("rdfsbase %0; rdgsbase %1" : "=r"(fs), "=r"(gs));
    return fs == base && gs == base;
}

void registers() {
    const u64 round = information().quantum;  // about a slice a pattern
    const u16 x87 = static_cast<u16>(0x37f & ~(own % 4 << 8));
    const u32 mxcsr = static_cast<u32>(0x1f80 | own % 4 << 13);
    set_control_words(x87, mxcsr);
    for (u64 i = 0; i < 12; ++i) {
        set_bases(own << 16 | i);
        const u64 wrong_registers = hold_pattern(own << 32 | i << 16, round);
        expect_true("registers kept over a forced switch", wrong_registers == 0, wrong_registers);
        expect_true("segment bases kept", bases_are(own << 16 | i), i);
        expect_true("control words kept", control_words_are(x87, mxcsr), i);
    }
    set_control_words(0x37f, 0x1f80);
    u64 found[16] = {};
    for (u64 i = 0; i < 20; ++i) {
        set_bases(own << 16);
        yield_with(own << 32, found);
        expect_true("segment bases gone behind a yield", bases_are(0), i);
        for (u64 r = 0; r < 16; ++r) expect_true("a register behind a yield is mine or nothing", found[r] < 0x1'0000 || found[r] >> 32 == own, found[r]);
    }
}

/// A new environment finds nothing in its registers, whoever ran last.
void first_instructions() {
    static Memory page;
    need(page, 1);
    for (u64 i = 0; i < 6; ++i) {
        hold_pattern(own << 32, 10);
        set_bases(own << 16);
        for (u64 w = 0; w < kPageSize / 8; ++w) page.words()[w] = w < 18 && w != 15 ? kAny : 0;
        Capability frames, capability;
        if (answer_to<FrameAlloc>({FrameNumber{kAny}, kEnvFrames, 1, address(frames)}) != Error::ok) exit(3);
        const EnvSpec spec{address(boot().context), address(frames), VirtAddr{reinterpret_cast<u64>(report_registers)}, page.at().value, 0, "newborn"};
        const auto child = call<EnvCreate>({address(spec), address(capability)});
        expect_true("a child", child.ok());
        for (u64 tries = 0; page.words()[15] != 1 && tries < 1000; ++tries) yield(child.ok() ? child.value() : EnvId{});
        for (u64 r = 0; r < 15; ++r) expect_true("a register of a new environment", page.words()[r] == 0, page.words()[r]);
        expect_true("segment bases of a new environment", page.words()[16] == 0 && page.words()[17] == 0, page.words()[16]);
        const u8* area = page.bytes() + 512;
        const u32 mxcsr = *reinterpret_cast<const u32*>(area + 24);
        const u16 control = *reinterpret_cast<const u16*>(area);
        expect_true("its control words", mxcsr == 0x1f80 && control == 0x37f, mxcsr);
        for (u64 b = 32; b < 416; b += 8) {
            const u64 word = *reinterpret_cast<const u64*>(area + b);
            expect_true("an FPU register of a new environment", word == 0, word);
        }
    }
}

Memory large;
bool as_large;

/// Policy `none` sends every miss up: bind again what is bound, in the size that it has.
[[gnu::target("general-regs-only")]] bool bind_large_again(VirtAddr address, u64) {
    const u64 page = page_of(address).value - large.page.value;
    if (large.count == 0 || page >= large.count) return false;
    const u64 first = as_large ? page & ~u64{511} : page;
    const u64 flags = as_large ? static_cast<u64>(SpanFlag::large) : 0;
    const u64 span = PageSpan::make(large.page + first, 1, Right::read | Right::write, flags).bits;
    const u64 frame = large.frame.value + (as_large ? first : page + 2);
    return raw_call(Bind::number, {reinterpret_cast<u64>(&large.capability), frame, span, 0, 0}).error == Error::ok;
}

/// Frames come without what others left in them, by any way to them.
void frames_are_clean() {
    for (u64 i = 0; i < 40; ++i) {
        Memory memory;
        if (!take(memory, 8)) exit(3);
        expect("bind", bind_all(memory), Error::ok);
        for (u64 w = 0; w < 8 * kPageSize / 8; w += 3) {
            expect_true("a frame that was not empty", memory.words()[w] == 0, memory.words()[w]);
            memory.words()[w] = own << 32 | w;
        }
        expect("release", answer_to<FrameRelease>({address(memory.capability), memory.frame, 8}), Error::ok);
        expect("unbound by that", raw_call(LogWrite::number, {memory.at().value, 1}).error, Error::not_mapped);
        if (i % 8 == 0) yield();
    }
    if (!take(large, 1024, 512)) exit(3);
    as_large = true;
    set_fault_policy(bind_large_again);
    const PageSpan span = PageSpan::make(large.page, 2, Right::read | Right::write).with(SpanFlag::large);
    expect("bind 2 MiB pages", answer_to<Bind>({address(large.capability), large.frame, span, {}, {}}), Error::ok);
    for (u64 w = 0; w < 1024 * kPageSize / 8; w += 509) {
        expect_true("a large page that was not empty", large.words()[w] == 0, large.words()[w]);
        large.words()[w] = own;
    }
    const auto is_bound = [&](u64 page) { return raw_call(CapabilityCheck::number, {large.at(page * kPageSize).value}).error != Error::not_mapped; };
    expect_true("both bound", is_bound(0) && is_bound(1023));
    expect("one frame of the second back", answer_to<FrameRelease>({address(large.capability), large.frame + 700, 1}), Error::ok);
    expect_true("the second gone, the first not", is_bound(511) && !is_bound(512) && !is_bound(1023));
    expect("unbind the first", answer_to<Unbind>({span, {}}), Error::ok);
    expect_true("gone", !is_bound(0));
    // A small page where a large one was, under every policy that forgets and refills.
    const PageSpan small = PageSpan::make(large.page + 3, 1, Right::read | Right::write);
    as_large = false;
    expect("bind a small one there", answer_to<Bind>({address(large.capability), large.frame + 5, small, {}, {}}), Error::ok);
    for (u64 i = 0; i < 30; ++i) {
        volatile u64* word = large.words() + 3 * kPageSize / 8;
        *word = i;
        yield();
        expect_true("the small page holds what was written", *word == i, i);
    }
    // The large one again, over it, and away again: the small one is still there.
    const PageSpan one = PageSpan::make(large.page, 1, Right::read | Right::write).with(SpanFlag::large);
    for (u64 i = 0; i < 8; ++i) {
        expect("bind the large one over it", answer_to<Bind>({address(large.capability), large.frame, one, {}, {}}), Error::ok);
        as_large = true;
        expect_true("the large page holds what was written", large.words()[9 * kPageSize / 8] == 0, i);
        if (i % 2 == 0) yield();
        expect("unbind the large one", answer_to<Unbind>({one, {}}), Error::ok);
        as_large = false;
        expect_true("the small page holds what was written", *static_cast<volatile u64*>(large.words() + 3 * kPageSize / 8) == 29, i);
        if (i % 3 == 0) yield();
    }
    expect("the rest back", answer_to<FrameRelease>({address(large.capability), large.frame, 700}), Error::ok);
}

}  // namespace

int libos_main() {
    own = 0x5000 + boot().self.value;
    registers();
    first_instructions();
    frames_are_clean();
    return verdict("leaks");
}
