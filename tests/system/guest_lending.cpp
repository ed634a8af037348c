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
#include <algorithm>

#include "libos/core/libos.hpp"
#include "libos/transfer/board.hpp"
#include "libos/vmm/lending/borrower.hpp"
#include "libos/vmm/monitor/report.hpp"
#include "tests/system/filler_guest.hpp"

using namespace tessera;
using namespace tessera::guest_test;

namespace {

constexpr u64 kGuests = 2, kLoans = 512;
// Contents that all have: a quarter of the pages, and the one that is all over; besides, what a guest is started with.
constexpr u64 kInCommon = kPages / kKinds + 1;

constinit FrameSupply supply;
FillerGuest guests[kGuests];

class Director final : public FillerSteps {
  public:
    Director(MemoryManager& manager, Borrower& borrower) : FillerSteps(guests, manager, 9), borrower_(borrower) {}

  private:
    bool is_done() override;
    void begin(u64 step) override;
    u64 on_loans() const;
    /// Something was lent to it that was not equal, or that no lender who keeps the rules lends.
    bool is_cheated() const { return borrower_.counts().unequal != 0 || !borrower_.is_open(); }
    static bool is_over(std::string_view name) { return !find_environment(name); }
    /// The other monitor has come as far, or has ended.
    static bool other_has(std::string_view posted) {
        return is_over(argument("with")) || find_post(find_environment(argument("with")), posted).ok();
    }

    Borrower& borrower_;
};

/// Pages that stand on borrowed frames, of those that should.
u64 Director::on_loans() const {
    u64 count = 0;
    for (const FillerGuest& each : guests)
        for (u64 page = 0; page < kPages; ++page) {
            const GuestFrame entry = each.entry(kFirst + page);
            const bool shared = entry.use() == FrameUse::shared && FrameSupply::is_loan(entry.frame().run);
            const u64 kind = page % kKinds;
            count += shared && (kind == kCommon || kind == kOnePage);
        }
    return count;
}

constexpr u64 kAllShared = kGuests * kPages / 2;

bool Director::is_done() {
    if (!all_answered() || !passes_are_over()) return false;
    const std::string_view then = argument("then");
    switch (next_step()) {
    case 1:
        if (then == "lonely") return manager_.scanned_through() > 30 && (is_cheated() || other_has("cheated"));
        return on_loans() == kAllShared || is_over(argument("with"));
    case 3: return then == "lonely" || other_has("shares");
    case 4:
        // They look again and again, until that ends them.
        if (then == "robbed" && std::ranges::any_of(guests, &FillerGuest::is_running)) return look(), false;
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
    await_nothing();
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
        return look();
    case 2: expect("posted", post("shares", boot().image).ok()); return;
    case 3:
        if (argument("then") == "dies") static_cast<void>(call<Exit>({0}));
        if (argument("then") == "recalled") return expect("posted", post("ready", boot().image).ok());
        if (argument("then") == "robbed") return look();
        guests[0].board.tell(kWrite, kHasWritten);
        return await_passes(3);
    case 4: expect("who wrote has copies", guests[0].machine->memory.copies() >= kPages / 2 || argument("then") != "lives"); return look();
    case 5: return tell_all(kWrite, kHasWritten);
    case 6: return await_passes(3);
    case 7: return look();
    case 8: return expect("posted", post("again", boot().image).ok());
    default: manager_.tell("lending", ticks()), tell_all(kOff, 0);
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
    open_guests(guests, supply, kFillerFrames, filler(), argument("first", 1), manager, monitor);
    if (wrong != 0) return 1;
    monitor.add(borrower);
    monitor.add(director);
    monitor.run();
    for (FillerGuest& each : guests) report_exits(each.machine->processor, each.machine->machine.name().data());
    close_guests(guests, supply, manager);
    expect("the borrower closes", borrower.close().ok());
    print(wrong == 0 ? "all guests found their memory as it was\n" : "some did not\n");
    return wrong == 0 ? 0 : 1;
}
