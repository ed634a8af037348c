// Three small guests over one memory manager: what is equal is shared, what is written is the writer's own again, what is put
// out comes back, what the kernel asks for it gets; and each guest finds in its memory what it wrote, whatever the others do.
//
// The director below tells the guests (filler_guest.hpp) what to do, one step after the other, and looks at the maps.
#include "libos/core/libos.hpp"
#include "libos/transfer/board.hpp"
#include "libos/vmm/memory/manager.hpp"
#include "libos/vmm/monitor/report.hpp"
#include "tests/system/filler_guest.hpp"

using namespace tessera;
using namespace tessera::guest_test;

namespace {

constexpr u64 kGuests = 3;
constexpr const char* kNames[kGuests] = {"first", "second", "third"};

constinit FrameSupply supply;
struct Guest {
    TestBoard board;
    std::optional<TestGuest> machine;
    ManagedMemory* memory = nullptr;
    u32 waits_for = kHasWritten;  ///< Its answer to what it was told; 0: none.
};
Guest guests[kGuests];

class Director final : public Chore {
  public:
    explicit Director(MemoryManager& manager) : manager_(manager) {}
    u64 tend(u64 now) override {
        if (step_ <= kLast && is_done()) {
            if (wrong != 0) step_ = kLast;
            begin(step_++);
        }
        return now + information().tsc_hz / 1000;
    }

  private:
    static constexpr u64 kLast = 13;

    /// Has every guest that still runs answered what it was told?
    static bool all_said() {
        for (const Guest& each : guests)
            if (each.machine->machine.is_running() && each.waits_for != 0 && each.board.said != each.waits_for) return false;
        return true;
    }
    static void tell(Guest& guest, Order order, u32 answer) {
        guest.board.tell(order);
        guest.waits_for = answer;
    }
    static void tell_all(Order order, u32 answer) {
        for (Guest& each : guests) tell(each, order, answer);
    }
    /// All guests look whether their memory is as it was.
    static void look() { tell_all(kLook, kIsRight); }
    void wait_for_passes(u64 count) { until_pass_ = manager_.scanned_through() + count; }
    bool is_done() const {
        if (wrong != 0) return true;
        if (!all_said()) return false;
        if (waits_for_asker_ && (accounts().asked == 0 || is_owing())) return false;
        return manager_.scanned_through() >= until_pass_ || (step_ == 1 && strays() == 0);
    }
    static bool is_owing() {
        const auto* requests = reinterpret_cast<const RevocationRequest*>(kInformation + kRequestTableOffset) + boot().self.index() * kRequests;
        for (u64 i = 0; i < kRequests; ++i)
            if (requests[i].state == RequestState::told || requests[i].state == RequestState::asked) return true;
        return false;
    }

    void begin(u64 step);
    u64 strays() const;
    void look_at_maps();

    MemoryManager& manager_;
    u64 step_ = 0, until_pass_ = 0;
    bool waits_for_asker_ = false;
};

// Each page of each guest on what it should be on: how many are not.
u64 Director::strays() const {
    const auto entry_of = [](u64 guest, u64 page) { return guests[guest].machine->memory.entry(kFirst + page); };
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
    for (const Guest& each : guests) {
        const MemoryUse use = each.memory->use();
        needed += use.own + use.shared;
    }
    const u64 taken = supply.taken();
    expect("at least half of the memory is reclaimed", taken * 2 <= needed);
    print("reclaimed ", needed - taken, " of ", needed, " frames in ", manager_.scanned_through(), " passes\n");
    static_cast<void>(record("frames_needed", needed, "frames_taken", taken));
}

void Director::begin(u64 step) {
    for (Guest& each : guests) each.waits_for = 0;
    until_pass_ = 0;
    waits_for_asker_ = false;
    switch (step) {
    // Pages that were written while they were first looked at are passed over for some time.
    case 0: return wait_for_passes(200);
    case 1: look_at_maps(); return look();
    case 2: tell(guests[0], kWrite, kHasWritten); return wait_for_passes(3);
    case 3: expect("who wrote has copies", guests[0].machine->memory.copies() >= kPages / 2, guests[0].machine->memory.copies()); return look();
    case 4:
        expect("400 pages were put out", manager_.page_out_any(400) == 400 && manager_.pager().pages_out() == 400);
        return look();
    case 5: expect("they came back", manager_.pager().counts().in > 0), tell(guests[1], kRace, 0); return wait_for_passes(6);
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
        waits_for_asker_ = true;
        return;
    case 9: return look();
    case 10: tell_all(kWrite, kHasWritten), tell(guests[2], kDie, kHasWritten); return;
    case 11: wait_for_passes(2); return;
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
    for (u64 i = 0; i < kGuests; ++i) {
        Guest& guest = guests[i];
        guest.board.number = static_cast<u32>(i + 1);
        guest.machine.emplace(supply, kFillerFrames, kNames[i], guest.board);
        expect("a guest", guest.machine->open(filler()).ok());
        guest.memory = manager.add(guest.machine->memory, guest.machine->processor);
        monitor.add(guest.machine->processor);
    }
    if (wrong != 0) return 1;
    monitor.add(manager);
    monitor.add(director);
    monitor.run();
    for (Guest& each : guests) report_exits(each.machine->processor, each.machine->machine.name().data());
    expect("the third ended by itself", guests[2].machine->machine.end().kind == End::failed);
    expect("the manager closes", manager.close().ok());
    for (Guest& each : guests) expect("a guest closes", each.machine->close().ok());
    expect("nothing is shared any more", manager.sharing().table().frames() == 0 && manager.sharing().table().users() == 0);
    expect("nothing is out any more", manager.pager().pages_out() == 0);
    expect("all frames are back", supply.taken() == 0);
    print(wrong == 0 ? "all guests found their memory as it was\n" : "some did not\n");
    return wrong == 0 ? 0 : 1;
}
