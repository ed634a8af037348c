// The smallest guest that needs everything: ports, CPUID, registers, a timer, an interrupt that has to wait, string I/O,
// memory that fills itself, calls of the monitor. It judges itself; then come guests that end badly, one by one.
#include <utility>

#include "libos/core/libos.hpp"
#include "libos/vmm/monitor/monitor.hpp"
#include "libos/vmm/monitor/report.hpp"
#include "tests/system/guest_start.hpp"

using namespace tessera;
using namespace tessera::guest_test;

extern "C" const std::byte guest_code[], guest_gp[], guest_timer[], guest_late[], guest_code_end[];
extern "C" const std::byte guest_triple_fault[], guest_reset[], guest_beyond[], guest_prefixed[], guest_endings_end[];

// Each check says its number on port 0xe0 when it is right, or ends the guest at once.
asm(R"(
    .section .rodata.guest, "a"
    .globl guest_code, guest_gp, guest_timer, guest_late, guest_code_end
    .macro must_be value, register
    cmp \value, \register
    jne guest_wrong
    incl %r15d
    mov %r15d, %eax
    out %eax, $0xe0
    .endm
guest_code:
    xor %r15d, %r15d
    xor %r14d, %r14d            # what the handlers do
    mov $-1, %rax
    in $0xe1, %al               # a byte leaves the rest as it is
    mov %rax, %rbx
    must_be $-0xa6, %rbx
    mov $-1, %rax
    in $0xe1, %eax              # 32 bits do not
    mov %rax, %rbx
    mov $0xffffff5a, %ecx
    must_be %rcx, %rbx
    mov $0x40000000, %eax
    mov $7, %ecx
    cpuid
    mov %rdx, %rsi
    must_be $0x40000007, %rsi
    mov $0x1234, %ecx
    rdmsr
    shl $32, %rdx
    or %rax, %rdx
    mov $0x1122334455667788, %rcx
    must_be %rcx, %rdx
    mov $0x9999, %ecx           # a register that is not there
    rdmsr
    mov $0, %edi
    must_be $1, %r14
    mov $0xc0000080, %ecx       # long mode, system calls, no-execute
    mov $0x901, %eax
    xor %edx, %edx
    wrmsr
    rdmsr
    mov %rax, %rbx
    must_be $0xd01, %rbx
    mov $0xbbbb, %r10d
    mov %r10, %dr2
    mov %dr2, %rbx
    must_be $0xbbbb, %rbx
    # Memory, one word a page, up to 8 MiB.
    mov $0x200000, %edi
1:  mov %rdi, (%rdi)
    add $0x1000, %edi
    cmp $0x800000, %edi
    jne 1b
    xor %ebx, %ebx
    mov $0x200000, %edi
1:  add (%rdi), %rbx
    add $0x1000, %edi
    cmp $0x800000, %edi
    jne 1b
    mov $0x1dfd00000, %rcx
    must_be %rcx, %rbx
    # Strings.
    lea guest_text(%rip), %rsi
    mov $12, %ecx
    mov $0xe2, %edx
    rep outsb
    must_be $0, %rcx
    mov $0x9000, %edi
    mov $600, %ecx              # more than the monitor does in a piece
    mov $0xe3, %edx
    rep insw
    movzwl 0x9000+1198, %ebx
    must_be $599, %rbx
    mov %rdi, %rbx
    must_be $0x94b0, %rbx
    # A timer that is told to come in a millisecond.
    mov $0x20, %r14d
    mov $1000000, %eax
    out %eax, $0xe4
    sti
    hlt
    must_be $0x120, %r14
    # An interrupt that comes while interrupts are off, and behind STI not before the next instruction is done.
    cli
    mov $0, %r14d
    out %al, $0xe5
    must_be $0, %r14
    sti
    mov %r14, %rbx
    nop
    must_be $0, %rbx
    must_be $0x200, %r14
    cli
    mov $41, %eax
    vmmcall
    mov %rax, %rbx
    must_be $42, %rbx
    mov $0x7fffffff, %eax       # right to the end
    out %eax, $0xe0
    hlt
guest_wrong:
    mov $0x80000000, %eax
    or %r15d, %eax
    out %eax, $0xe0
    hlt
guest_gp:
    add $8, %rsp
    addq $2, (%rsp)
    inc %r14d
    iretq
guest_timer:
    add $0x100, %r14d
    iretq
guest_late:
    add $0x200, %r14d
    iretq
guest_text:
    .ascii "hello, ports"
guest_code_end:

    .globl guest_triple_fault, guest_reset, guest_beyond, guest_prefixed, guest_endings_end
guest_triple_fault:
    xor %esp, %esp
    ud2
guest_reset:
    lidt 2f(%rip)
    ud2
2:  .skip 10
guest_beyond:
    mov $0x30000000, %edi
    mov (%rdi), %eax
guest_prefixed:
    .byte 0x66, 0x0f, 0xa2
guest_endings_end:
    .previous
)");

namespace {

/// Ports that say what they were told, one register, a timer.
class TestBoard final : public Board {
  public:
    u32 reached = 0;
    u64 text = 0, exits_of_strings = 0;

    TestBoard() { set_timed(0xe4, 1); }
    u32 read_port(u16 port, u32 size) override {
        if (port == 0xe3) return next_word_++;
        return port == 0xe1 ? 0xffff'ff5a & ~u32{0} >> (32 - 8 * size) : ~u32{0};
    }
    void write_port(u16 port, u32 size, u32 value) override {
        if (port == 0xe0) reached = value;
        if (port == 0xe2 && size == 1) text = text * 31 + value;
        if (port == 0xe4) due_ = now_ + value;
        if (port == 0xe5) pending_ = 0x21;
    }
    CpuidAnswer cpuid(u64, u32 leaf, u32 subleaf) override { return {1, 2, 3, leaf + subleaf}; }
    std::optional<u64> read_msr(u64, u32 index) override {
        return index == 0x1234 ? std::optional<u64>{0x1122'3344'5566'7788} : std::nullopt;
    }
    bool write_msr(u64, u32, u64) override { return false; }
    void advance(u64 now) override {
        now_ = now;
        if (now < due_) return;
        due_ = kNoEvent;
        pending_ = 0x20;
    }
    u64 next_event() const override { return due_; }
    bool interrupt_pending(u64) const override { return pending_ != 0; }
    u8 acknowledge(u64) override { return static_cast<u8>(std::exchange(pending_, 0)); }
    bool hypercall(Processor& processor) override {
        ++processor.cpu().state().rax;
        return true;
    }

  private:
    u64 now_ = 0, due_ = kNoEvent;
    u32 pending_ = 0, next_word_ = 0;
};

constinit FrameSupply supply;
std::span<const std::byte> between(const std::byte* from, const std::byte* to) { return {from, static_cast<u64>(to - from)}; }

void run(TestGuest& guest) {
    Monitor monitor;
    monitor.add(guest.processor);
    monitor.run();
}

u64 sum_of(std::string_view text) {
    u64 sum = 0;
    for (char each : text) sum = sum * 31 + static_cast<u8>(each);
    return sum;
}

bool run_judging_itself() {
    TestBoard board;
    TestGuest guest(supply, 2048, "judge", board);
    const auto opened = guest.open(between(guest_code, guest_code_end));
    if (!opened.ok()) {
        print("no guest: ", name_of(opened.error()), "\n");
        return false;
    }
    const auto at = [](const std::byte* label) { return kCode + static_cast<u64>(label - guest_code); };
    expect("gates", write_gate(guest.memory, 13, at(guest_gp)) && write_gate(guest.memory, 0x20, at(guest_timer)) &&
                        write_gate(guest.memory, 0x21, at(guest_late)));
    run(guest);
    expect("the guest came to its end", board.reached == 0x7fff'ffff);
    expect("what it sent", board.text == sum_of("hello, ports"));
    expect("it switched itself off", guest.machine.end().kind == End::power_off);
    if (board.reached != 0x7fff'ffff) print("it came as far as check ", hex(board.reached), "\n");
    report_exits(guest.processor, "judge");
    expect("closed", guest.close().ok());
    return true;
}

void run_to_its_end(const char* name, const std::byte* code, End::Kind kind) {
    TestBoard board;
    TestGuest guest(supply, 1024, name, board);
    expect("opened", guest.open(between(code, guest_endings_end)).ok());
    run(guest);
    expect(name, guest.machine.end().kind == kind);
    expect("closed", guest.close().ok());
}

}  // namespace

int libos_main() {
    if (!run_judging_itself()) return 1;
    run_to_its_end("triple-fault", guest_triple_fault, End::failed);
    run_to_its_end("reset", guest_reset, End::reset);
    run_to_its_end("beyond", guest_beyond, End::failed);
    run_to_its_end("prefixed", guest_prefixed, End::failed);
    expect("all frames are back", supply.taken() == 0);
    print(wrong == 0 ? "all guests did as expected\n" : "some did not\n");
    return wrong == 0 ? 0 : 1;
}
