// What a policy can do to a guest's memory under its feet: page it out and back, protect it, share it, take it for good, and
// make room where the monitor has fewer frames than the guest has memory. The guest checks that it notices nothing.
#include "libos/core/libos.hpp"
#include "libos/vmm/monitor/monitor.hpp"
#include "libos/vmm/monitor/report.hpp"
#include "tests/system/guest_start.hpp"

using namespace tessera;
using namespace tessera::guest_test;

extern "C" const std::byte guest_code[], guest_code_end[];

// VMMCALL asks for the step in rax. What is found wrong is the step's number on port 0xe1.
asm(R"(
    .section .rodata.guest, "a"
    .globl guest_code, guest_code_end
    .macro page_holds page, value, step
    mov $\page << 12, %edi
    mov $\step, %ebx
    mov $\value, %ecx
    cmp %rcx, (%rdi)
    jne wrong
    .endm
    .macro step number
    mov $\number, %eax
    vmmcall
    .endm
guest_code:
    mov $0x200000, %edi         # pages 200 to 20f hold their numbers
1:  mov %rdi, %rax
    shr $12, %rax
    mov %rax, (%rdi)
    add $0x1000, %edi
    cmp $0x210000, %edi
    jne 1b
    step 1                      # 201 paged out
    page_holds 0x201, 0x201, 1
    step 2                      # 202 protected
    page_holds 0x202, 0x202, 2
    movq $7, 0x202000
    movq $8, 0x202000
    page_holds 0x202, 8, 2
    step 3                      # 205 and 206 share a frame that says 0x55
    page_holds 0x205, 0x55, 3
    page_holds 0x206, 0x55, 3
    movq $6, 0x206000
    page_holds 0x205, 0x55, 3
    page_holds 0x206, 6, 3
    step 4                      # 207 taken for good
    page_holds 0x207, 0, 4
    movq $9, 0x207000
    page_holds 0x207, 9, 4
    page_holds 0x208, 0x208, 4  # and the neighbours are as they were
    mov $0x400000, %edi         # a page's number into each from 4 MiB to 24 MiB, twice around
    mov $2, %r8d
2:  mov $0x400000, %edi
3:  mov %rdi, %rax
    shr $12, %rax
    mov %rax, (%rdi)
    add $0x1000, %edi
    cmp $0x1800000, %edi
    jne 3b
    mov $0x400000, %edi
    mov $5, %ebx
4:  mov %rdi, %rax
    shr $12, %rax
    cmp %rax, (%rdi)
    jne wrong
    add $0x1000, %edi
    cmp $0x1800000, %edi
    jne 4b
    dec %r8d
    jnz 2b
    step 5
    hlt
wrong:
    mov %ebx, %eax
    out %eax, $0xe1
    hlt
guest_code_end:
    .previous
)");

namespace {

constinit FrameSupply supply;
/// Pages whose bytes need not be kept, as they hold their own numbers and zeros: what is paged out is made again.
class Recomputing final : public MemoryPolicy {
  public:
    explicit Recomputing(Memory& memory) : memory_(memory) {}

    u64 brought = 0, made_room = 0, writes = 0, copies = 0;
    SuppliedFrame shared{};

    bool bring_back(u64 guest_frame, bool) override {
        auto frame = memory_.supply().take();
        while (!frame.ok() && make_room()) frame = memory_.supply().take();
        if (!frame.ok()) return false;
        ++brought;
        memory_.give(guest_frame, frame.value());
        return memory_.write(guest_frame << kPageShift, memory_.entry(guest_frame).is_backed() ? guest_frame : 0);
    }
    bool make_room() override {
        for (u64 i = kFirst; i < kEnd; ++i) {
            if (++victim_ >= kEnd) victim_ = kFirst;
            if (const auto frame = memory_.take(victim_, FrameUse::paged_out, victim_)) {
                memory_.supply().give(*frame);
                ++made_room;
                return true;
            }
        }
        return false;
    }
    void on_write(u64) override { ++writes; }
    void on_copy(u64, SuppliedFrame was) override { copies += was.number == shared.number; }

  private:
    static constexpr u64 kFirst = 0x400, kEnd = 0x1800;
    Memory& memory_;
    u64 victim_ = kFirst;
};

/// Who has frames bound looks for them by what the map says: so it must hear of a change before the map has it.
class Watcher final : public MemoryView {
  public:
    explicit Watcher(Memory& memory) : memory_(memory) {}
    u64 last = 0;
    void forget(u64 guest_frame, u64) override { last = memory_.entry(guest_frame).number(); }

  private:
    Memory& memory_;
};

class StepBoard final : public QuietBoard {
  public:
    Memory* memory = nullptr;
    Recomputing* policy = nullptr;
    u64 steps = 0, wrong_step = 0;

    u32 read_port(u16, u32) override { return 0; }
    void write_port(u16, u32, u32 value) override { wrong_step = value; }
    bool hypercall(Processor& processor) override {
        ++steps;
        return step(processor.cpu().state().rax);
    }

  private:
    bool step(u64 number) {
        switch (number) {
        case 1: return take_away(0x201, FrameUse::paged_out);
        case 2: return memory->protect(0x202), !memory->entry(0x202).is_large();
        case 3: return share();
        case 4: return take_away(0x207, FrameUse::ballooned);
        case 5: return true;
        default: return false;
        }
    }
    bool take_away(u64 guest_frame, FrameUse use) {
        const auto frame = memory->take(guest_frame, use, guest_frame);
        if (!frame) return false;
        memory->supply().give(*frame);
        return true;
    }
    // The frame is filled where it will be read, and then taken away from there: it is nobody's own any more.
    bool share() {
        if (!take_away(0x205, FrameUse::absent) || !memory->write(0x205 << kPageShift, u64{0x55})) return false;
        const auto frame = memory->take(0x205, FrameUse::absent);
        if (!frame) return false;
        policy->shared = *frame;
        memory->share(0x205, *frame);
        memory->share(0x206, *frame);
        return true;
    }
};

}  // namespace

int libos_main() {
    static StepBoard board;
    static TestGuest guest(supply, 0x2000, "guest", board);
    static Recomputing policy(guest.memory);
    board.memory = &guest.memory;
    board.policy = &policy;
    guest.memory.set_policy(&policy);
    if (!guest.open({guest_code, static_cast<u64>(guest_code_end - guest_code)}).ok()) return print("no guest\n"), 1;
    static Monitor monitor;
    monitor.add(guest.processor);
    monitor.run();
    expect("the guest is content", board.wrong_step == 0 && board.steps == 5 && guest.machine.end().kind == End::power_off);
    if (board.wrong_step != 0) print("it found step ", board.wrong_step, " wrong\n");
    expect("a write to a protected page was told once", policy.writes == 1);
    expect("a write to a shared page made a copy", policy.copies == 1 && guest.memory.copies() == 1);
    expect("there was not room for all", policy.made_room > 500 && policy.brought > 500);
    report_exits(guest.processor, "guest");
    static Watcher watcher(guest.memory);
    guest.memory.add_view(watcher);
    const auto other = guest.memory.take_frame();
    expect("another frame", other.ok());
    if (!other.ok()) return 1;
    guest.memory.share(0x205, other.value());
    expect("who had the frame before was told while the map said which", watcher.last == policy.shared.number.value);
    guest.memory.vacate(0x205, FrameUse::absent);
    expect("and of one that goes", watcher.last == other.value().number.value);
    supply.give(other.value());
    supply.give(policy.shared);
    expect("closed", guest.close().ok());
    print(wrong == 0 ? "right: " : "WRONG: ", policy.brought, " pages were brought back, ", policy.made_room, " taken\n");
    const bool told = record("brought", policy.brought, "made_room", policy.made_room, "right", wrong == 0).ok();
    return wrong == 0 && told ? 0 : 1;
}
