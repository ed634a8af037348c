// Three small guests over one memory manager: what is equal is shared, what is written is the writer's own again, what is put
// out comes back, what the kernel asks for it gets; and each guest finds in its memory what it wrote, whatever the others do.
//
// The director below tells the guests (filler_guest.hpp) what to do, one step after the other, and looks at the maps.
#include "libos/core/libos.hpp"
#include "libos/transfer/board.hpp"
#include "libos/vmm/monitor/report.hpp"
#include "tests/system/filler_guest.hpp"

using namespace tessera;
using namespace tessera::guest_test;

namespace {

constexpr u64 kGuests = 3;

constinit FrameSupply supply;
FillerGuest guests[kGuests];

class Director final : public FillerSteps {
  public:
    explicit Director(MemoryManager& manager) : FillerSteps(guests, manager, 13) {}

  private:
    bool is_done() override {
        if (!all_answered()) return false;
        if (awaits_asker_ && (accounts().asked == 0 || is_owing())) return false;
        return passes_are_over() || (next_step() == 1 && strays() == 0);
    }
    static bool is_owing() {
        const auto* requests = reinterpret_cast<const RevocationRequest*>(kInformation + kRequestTableOffset) + boot().self.index() * kRequests;
        for (u64 i = 0; i < kRequests; ++i)
            if (requests[i].state == RequestState::told || requests[i].state == RequestState::asked) return true;
        return false;
    }

    void begin(u64 step) override;
    u64 strays() const;
    void look_at_maps();

    bool awaits_asker_ = false;
};

// Each page of each guest on what it should be on: how many are not.
u64 Director::strays() const {
    const auto entry_of = [](u64 guest, u64 page) { return guests[guest].entry(kFirst + page); };
    u64 count = 0;
    for (u64 guest = 0; guest < kGuests; ++guest) {
        for (u64 page = 0; page < kPages; ++page) {
            const GuestFrame entry = entry_of(guest, page);
            const u64 kind = page % kKinds;
            const u64 like = kind == kCommon ? entry_of(0, page).number() : entry_of(0, kind).number();
            count += kind == kOwn ? entry.use() != FrameUse::present : entry.use() != FrameUse::shared || entry.number() != like;
        }
    }
    return count;
}

void Director::look_at_maps() {
    expect("every page stands on what it should", strays() == 0);
    u64 needed = 0;
    for (const FillerGuest& each : guests) {
        const MemoryUse use = each.memory->use();
        needed += use.own + use.shared;
    }
    const u64 taken = supply.taken();
    expect("at least half of the memory is reclaimed", taken * 2 <= needed);
    print("reclaimed ", needed - taken, " of ", needed, " frames in ", manager_.scanned_through(), " passes\n");
    static_cast<void>(record("frames_needed", needed, "frames_taken", taken));
}

void Director::begin(u64 step) {
    await_nothing();
    awaits_asker_ = false;
    switch (step) {
    // Pages that were written while they were first looked at are passed over for some time.
    case 0: return await_passes(200);
    case 1: look_at_maps(); return look();
    case 2: guests[0].board.tell(kWrite, kHasWritten); return await_passes(3);
    case 3: expect("who wrote has copies", guests[0].machine->memory.copies() >= kPages / 2, guests[0].machine->memory.copies()); return look();
    case 4:
        expect("400 pages were put out", manager_.page_out_any(400) == 400 && manager_.pager().pages_out() == 400);
        return look();
    case 5: expect("they came back", manager_.pager().counts().in > 0), guests[1].board.tell(kRace, 0); return await_passes(6);
    case 6: return look();
    case 7:
        for (u64 twice = 0; twice < 2; ++twice)
            for (u64 frame = 300; frame < 400; ++frame) guests[2].memory->page_given(frame);
        expect("the balloon has its pages", guests[2].memory->use().ballooned == 100);
        guests[2].memory->page_taken(350);
        return look();
    case 8:
        // Whoever asks waits for this.
        expect("posted", post("ready", boot().image).ok());
        awaits_asker_ = true;
        return;
    case 9: return look();
    case 10: tell_all(kWrite, kHasWritten), guests[2].board.tell(kDie, kHasWritten); return;
    case 11: await_passes(2); return;
    case 12: return look();
    default: tell_all(kOff, 0); manager_.tell("small guests", ticks());
    }
}

}  // namespace

int libos_main() {
    static MemoryManager manager(supply);
    static Monitor monitor;
    static Director director(manager);
    ManagerRules rules;
    rules.scan_busy = rules.scan_idle;
    expect("a manager", manager.open(rules, kGuests * kFillerFrames).ok() && manager.pager().open_squeezed(2048, 256).ok());
    open_guests(guests, supply, kFillerFrames, filler(), 1, manager, monitor);
    if (wrong != 0) return 1;
    monitor.add(director);
    monitor.run();
    for (FillerGuest& each : guests) report_exits(each.machine->processor, each.machine->machine.name().data());
    expect("the third ended by itself", guests[2].machine->machine.end().kind == End::failed);
    close_guests(guests, supply, manager);
    print(wrong == 0 ? "all guests found their memory as it was\n" : "some did not\n");
    return wrong == 0 ? 0 : 1;
}
