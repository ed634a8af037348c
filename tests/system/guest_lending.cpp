// One of several monitors whose guests have pages in common: they come to stand on frames of a lender's, a write makes a copy, and
// each guest finds in its memory what it wrote, whatever becomes of the other monitors and of the lender.
//
//   lender=NAME   first=N (its guests are number N and N + 1)   with=NAME (another monitor, or itself)
//   then=WORD     what happens when all is shared:
//     lives       the other monitor ends in the middle, and its part is free again
//     dies        it ends itself in the middle, as it is
//     orphan      the lender ends in the middle, and nothing is lost
//     robbed      the lender takes back what it has lent without asking: the guests, which look at it, end, and the monitor does not
//     recalled    the kernel asks for what was lent: those who use it have copies
//     lonely      nothing is ever shared: the lender lies, to this one or to the other monitor
#include "libos/core/libos.hpp"
#include "libos/transfer/board.hpp"
#include "libos/vmm/lending/borrower.hpp"
#include "libos/vmm/memory/manager.hpp"
#include "libos/vmm/monitor/report.hpp"
#include "tests/system/filler_guest.hpp"

using namespace tessera;
using namespace tessera::guest_test;

namespace {

constexpr u64 kGuests = 2, kLoans = 512;
// Contents that all have: a quarter of the pages, and the one that is all over; besides, what a guest is started with.
constexpr u64 kInCommon = kPages / kKinds + 1;

constinit FrameSupply supply;
struct Guest {
    TestBoard board;
    std::optional<TestGuest> machine;
    ManagedMemory* memory = nullptr;
};
Guest guests[kGuests];

class Director final : public Chore {
  public:
    Director(MemoryManager& manager, Borrower& borrower) : manager_(manager), borrower_(borrower) {}
    u64 tend(u64 now) override {
        if (is_done()) begin(step_++);
        return now + information().tsc_hz / 1000;
    }

  private:
    bool is_done();
    void begin(u64 step);
    void tell_all(Order order, u32 answer) {
        for (Guest& each : guests) each.board.tell(order);
        waits_for_ = answer;
    }
    bool all_said() const;
    u64 on_loans() const;
    /// Something was lent to it that was not equal, or that no lender who keeps the rules lends.
    bool is_cheated() const { return borrower_.counts().unequal != 0 || !borrower_.is_open(); }
    static bool is_over(std::string_view name) { return !find_environment(name); }
    /// The other monitor has come as far, or has ended.
    static bool other_has(std::string_view posted) {
        return is_over(argument("with")) || find_post(find_environment(argument("with")), posted).ok();
    }

    MemoryManager& manager_;
    Borrower& borrower_;
    u64 step_ = 0, until_pass_ = 0;
    u32 waits_for_ = kHasWritten;
};

bool Director::all_said() const {
    for (const Guest& each : guests) {
        const bool is_waited_for = waits_for_ != 0 && each.machine->machine.is_running();
        if (is_waited_for && each.board.said != waits_for_ && !(each.board.said & kIsWrong)) return false;
    }
    return true;
}

/// Pages that stand on borrowed frames, of those that should.
u64 Director::on_loans() const {
    u64 count = 0;
    for (const Guest& each : guests)
        for (u64 page = 0; page < kPages; ++page) {
            const GuestFrame entry = each.machine->memory.entry(kFirst + page);
            const bool shared = entry.use() == FrameUse::shared && FrameSupply::is_loan(entry.frame().run);
            const u64 kind = page % kKinds;
            count += shared && (kind == kCommon || kind == kOnePage);
        }
    return count;
}

constexpr u64 kAllShared = kGuests * kPages / 2;

bool Director::is_done() {
    if (!all_said()) return false;
    if (manager_.scanned_through() < until_pass_) return false;
    const std::string_view then = argument("then");
    switch (step_) {
    case 1:
        if (then == "lonely") return manager_.scanned_through() > 30 && (is_cheated() || other_has("cheated"));
        return on_loans() == kAllShared || is_over(argument("with"));
    case 3: return then == "lonely" || other_has("shares");
    case 4:
        if (then != "recalled" && guests[0].board.said != kHasWritten) return false;
        if (then == "lives") return is_over(argument("with"));
        if (then == "recalled") return borrower_.counts().recalled != 0 && find_environment("asker") == EnvId{};
        if (then == "orphan") return is_over(argument("lender"));
        return true;
    case 8: return then != "recalled" || on_loans() == kAllShared || other_has("again");
    case 9: return then != "recalled" || other_has("again");
    default: return true;
    }
}

void Director::begin(u64 step) {
    waits_for_ = 0;
    switch (step) {
    case 0: return;  // all is written
    case 1:
        print(on_loans(), " pages stand on ", manager_.sharing().borrowed(), " borrowed frames\n");
        if (argument("then") == "lonely")
            expect("nothing is borrowed", manager_.sharing().borrowed() == 0);
        else
            expect("each content is borrowed once", manager_.sharing().borrowed() >= kInCommon);
        if (is_cheated()) expect("posted", post("cheated", boot().image).ok());
        static_cast<void>(record("on_loans", on_loans(), "borrowed", manager_.sharing().borrowed(), "own", supply.taken()));
        return tell_all(kLook, kIsRight);
    case 2: expect("posted", post("shares", boot().image).ok()); return;
    case 3:
        if (argument("then") == "dies") static_cast<void>(call<Exit>({0}));
        if (argument("then") == "recalled") return expect("posted", post("ready", boot().image).ok());
        if (argument("then") == "robbed") return step_ = 3, tell_all(kLook, kIsRight);  // again and again, until that ends them
        guests[0].board.tell(kWrite);
        until_pass_ = manager_.scanned_through() + 3;
        return;
    case 4: expect("who wrote has copies", guests[0].machine->memory.copies() >= kPages / 2 || argument("then") != "lives"); return tell_all(kLook, kIsRight);
    case 5: return tell_all(kWrite, kHasWritten);
    case 6: until_pass_ = manager_.scanned_through() + 3; return;
    case 7: return tell_all(kLook, kIsRight);
    case 8: return expect("posted", post("again", boot().image).ok());
    case 9: manager_.tell("lending", ticks()); return tell_all(kOff, 0);
    default: return;
    }
}

}  // namespace

int libos_main() {
    static Borrower borrower(supply);
    static MemoryManager manager(supply);
    static Monitor monitor;
    static Director director(manager, borrower);
    expect("a lender", borrower.open(argument("lender"), kLoans).ok());
    ManagerRules rules;
    rules.scan_busy = rules.scan_idle;
    rules.seed = borrower.seed();
    expect("a manager", manager.open(rules, kGuests * kFillerFrames).ok());
    borrower.serve(manager.sharing());
    constexpr const char* kNames[kGuests] = {"first", "second"};
    for (u64 i = 0; i < kGuests; ++i) {
        Guest& guest = guests[i];
        guest.board.number = static_cast<u32>(argument("first", 1) + i);
        guest.machine.emplace(supply, kFillerFrames, kNames[i], guest.board);
        expect("a guest", guest.machine->open(filler()).ok());
        guest.memory = manager.add(guest.machine->memory, guest.machine->processor);
        monitor.add(guest.machine->processor);
    }
    if (wrong != 0) return 1;
    monitor.add(manager);
    monitor.add(borrower);
    monitor.add(director);
    monitor.run();
    for (Guest& each : guests) report_exits(each.machine->processor, each.machine->machine.name().data());
    expect("the manager closes", manager.close().ok());
    for (Guest& each : guests) expect("a guest closes", each.machine->close().ok());
    expect("nothing is shared any more", manager.sharing().table().frames() == 0 && manager.sharing().table().users() == 0);
    expect("all frames are back", supply.taken() == 0);
    expect("the borrower closes", borrower.close().ok());
    print(wrong == 0 ? "all guests found their memory as it was\n" : "some did not\n");
    return wrong == 0 ? 0 : 1;
}
