// Guests' pages in frames that somebody lends who is not to be relied upon (guest_keeper.cpp): `vault=NAME does=WHAT`. What comes
// back is what went, or the guest whose page it was ends with a report; its neighbours and the monitor notice nothing.
//
// Twice the pages of two of the three guests are put out; the second time the keeper has its way with the first frames, or with all.
#include <algorithm>
#include <utility>

#include "libos/core/libos.hpp"
#include "libos/transfer/board.hpp"
#include "libos/vmm/monitor/report.hpp"
#include "tests/system/managed_guests.hpp"

using namespace tessera;
using namespace tessera::guest_test;

extern "C" const std::byte keeper_code[], keeper_code_end[];

// In: 0xe0 its number, 0xe1 what to do: 1 write all pages anew, 2 look at them, 3 off. Out: 0xe2 done, 0xe3 wrong.
asm(R"(
    .section .rodata.guest, "a"
    .globl keeper_code, keeper_code_end
keeper_code:
    in $0xe0, %eax
    mov %rax, %r13
    shl $32, %r13
    xor %r14d, %r14d
next:
    in $0xe1, %eax
    cmp $1, %eax
    je write
    cmp $2, %eax
    je look
    cmp $3, %eax
    jne next
    cli
    hlt
write:
    inc %r14
    mov $0x200000, %edi
1:  mov %r13, %rax
    add %r14, %rax
    add %rdi, %rax
    mov $512, %ecx
    rep stosq
    cmp $0x240000, %edi
    jne 1b
    out %eax, $0xe2
    jmp next
look:
    mov $0x200000, %edi
1:  mov %r13, %rax
    add %r14, %rax
    add %rdi, %rax
    mov $512, %ecx
    repe scasq
    jne 2f
    cmp $0x240000, %edi
    jne 1b
    out %eax, $0xe2
    jmp next
2:  out %eax, $0xe3
    jmp next
keeper_code_end:
    .previous
)");

namespace {

constexpr u64 kGuests = 3, kFrames = 1024, kFirst = 512, kPages = 64;
enum Order : u32 { kWait, kWrite, kLook, kOff };

constinit FrameSupply supply;
class TestBoard final : public QuietBoard {
  public:
    u32 number = 0, order = kWait;
    bool done = true, found_wrong = false;

    void tell(Order what) {
        order = what;
        done = false;
    }
    u32 read_port(u16 port, u32) override { return port == 0xe0 ? number : std::exchange(order, kWait); }
    void write_port(u16 port, u32, u32) override {
        done = true;
        found_wrong |= port == 0xe3;
    }
};

struct Guest : ManagedGuest<TestBoard> {
    bool is_harmed = false;  ///< One of its pages is where the keeper has its way.
};
Guest guests[kGuests];

/// Each step when all guests have done what they were told, and the keeper too.
class Director final : public Steps {
  public:
    explicit Director(std::string_view keeper) : Steps(6), id_(find_environment(keeper)) {}

  private:
    bool is_done() override { return guests_are_done() && keeper_is_done(); }
    bool guests_are_done() const {
        for (const Guest& each : guests)
            if (each.is_running() && !each.board.done) return false;
        return true;
    }
    bool keeper_is_done() const { return awaited_ == nullptr || !is_alive(id_) || find_post(id_, awaited_).ok(); }
    void tell_all(Order order) {
        for (Guest& each : guests) each.board.tell(order);
    }
    void put_out(const char* word) {
        const std::string_view does = argument("does");
        const u64 spoilt = does == "leave" ? kAny : does == "swap" ? 2 : does != "nothing";
        for (Guest& guest : std::span(guests).first(2))
            for (u64 page = kFirst; page < kFirst + kPages; ++page) {
                expect("a page is put out", guest.memory->page_out(page));
                guest.is_harmed |= is_last_time(word) && guest.entry(page).number() < spoilt;
            }
        expect("posted", post(word, boot().image).ok());
        awaited_ = word;
    }
    static bool is_last_time(std::string_view word) { return word == "twice"; }
    void begin(u64 step) override {
        awaited_ = nullptr;
        switch (step) {
        case 0: return tell_all(kWrite);
        case 1: return put_out("once");
        case 2: return tell_all(kLook);
        case 3: return tell_all(kWrite);
        case 4: return put_out("twice");
        case 5: return tell_all(kLook);
        default: return tell_all(kOff);
        }
    }

    EnvId id_;
    const char* awaited_ = nullptr;
};

}  // namespace

int libos_main() {
    static MemoryManager manager(supply);
    static Monitor monitor;
    ManagerRules rules;
    rules.scan_idle = rules.scan_busy = 0;
    const auto lent = await_post(argument("vault"), boot().name);
    expect("frames are lent", lent.ok());
    if (!lent.ok() || !manager.open(rules, kGuests * kFrames).ok() || !manager.pager().open_lent(lent.value()).ok()) return 1;
    static Director director(argument("vault"));
    open_guests(guests, supply, kFrames, {keeper_code, static_cast<u64>(keeper_code_end - keeper_code)}, 1, manager, monitor);
    if (wrong != 0) return 1;
    monitor.add(director);
    monitor.run();
    const std::string_view does = argument("does");
    u64 harmed = 0;
    for (const Guest& each : guests) {
        harmed += each.is_harmed;
        expect("no guest found anything changed", !each.board.found_wrong);
        expect("whose page was lost ended, and nobody else", (each.machine->machine.end().kind == End::failed) == each.is_harmed);
    }
    expect("somebody was harmed, where somebody could be", harmed == (does == "nothing" ? 0 : does == "leave" ? 2 : std::max<u64>(harmed, 1)));
    expect("so many pages were lost", manager.pager().counts().lost == harmed);
    expect("pages came back", manager.pager().counts().in >= kPages * 2);
    if (does == "leave") expect("nothing is put out any more", !guests[2].memory->page_out(kFirst));
    close_guests(guests, supply, manager);
    print(wrong == 0 ? "right: " : "WRONG: ", manager.pager().counts().out, " pages out, ", manager.pager().counts().in, " in, ", harmed, " guests harmed\n");
    return wrong == 0 ? 0 : 1;
}
