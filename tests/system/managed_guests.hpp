// Small guests over one memory manager, and one step after the other of what they are to do: what tests of guests' memory have in
// common, whatever code their guests run.
#pragma once

#include "libos/vmm/memory/manager.hpp"
#include "tests/system/guest_start.hpp"

namespace tessera::guest_test {

/// `TestBoard` has a `number`, by which its guest tells itself from others.
template <class TestBoard>
struct ManagedGuest {
    TestBoard board;
    std::optional<TestGuest> machine;
    ManagedMemory* memory = nullptr;

    bool is_running() const { return machine->machine.is_running(); }
    GuestFrame entry(u64 guest_frame) const { return machine->memory.entry(guest_frame); }
};

/// All of them, of `frames` guest frames each and with `code`, numbered from `first_number` on.
template <class Guest, u64 kCount>
void open_guests(Guest (&guests)[kCount], FrameSupply& supply, u64 frames, std::span<const std::byte> code,
                 u64 first_number, MemoryManager& manager, Monitor& monitor) {
    constexpr const char* kNames[] = {"first", "second", "third"};
    for (u64 i = 0; i < kCount; ++i) {
        Guest& guest = guests[i];
        guest.board.number = static_cast<u32>(first_number + i);
        guest.machine.emplace(supply, frames, kNames[i], guest.board);
        expect("a guest", guest.machine->open(code).ok());
        guest.memory = manager.add(guest.machine->memory, guest.machine->processor);
        monitor.add(guest.machine->processor);
    }
    monitor.add(manager);
}

/// When the monitor has run: nothing may be left.
template <class Guest, u64 kCount>
void close_guests(Guest (&guests)[kCount], FrameSupply& supply, MemoryManager& manager) {
    expect("the manager closes", manager.close().ok());
    for (Guest& each : guests) expect("a guest closes", each.machine->close().ok());
    expect("nothing is shared any more",
           manager.sharing().table().frames() == 0 && manager.sharing().table().users() == 0);
    expect("nothing is out any more", manager.pager().pages_out() == 0);
    expect("all frames are back", supply.taken() == 0);
}

/// Steps, each when the one before is done; the last one at once when something is wrong.
class Steps : public Chore {
  public:
    u64 tend(u64 now) final {
        if (step_ <= last_ && (wrong != 0 || is_done())) {
            if (wrong != 0) step_ = last_;
            begin(step_++);
        }
        return now + information().tsc_hz / 1000;
    }

  protected:
    explicit Steps(u64 last) : last_(last) {}
    ~Steps() = default;

    /// May the next one begin?
    virtual bool is_done() = 0;
    virtual void begin(u64 step) = 0;
    u64 next_step() const { return step_; }

  private:
    const u64 last_;
    u64 step_ = 0;
};

}  // namespace tessera::guest_test
