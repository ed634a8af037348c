// A guest with several virtual CPUs: an environment each, over the monitor's memory, on CPUs of the machine's own.
//
// The first virtual CPU is the monitor's. The others are run by companions, whose guests belong to them; what they share
// (board, memory, paging) is under the machine's lock. Who waits is notified, by gates that each has to each.
#pragma once

#include "libos/core/companion.hpp"
#include "libos/vmm/monitor/monitor.hpp"
#include "libos/vmm/monitor/pc_guest.hpp"

namespace tessera::vmm {

class Team final : public Waker {
  public:
    static constexpr u64 kNotified = 1;  ///< The event: to be given to Monitor::set_events.

    constexpr Team() = default;

    /// Companions for all virtual CPUs of `guest` but the first, each with `slots` slots on the next CPU; the guest is
    /// open. They begin with begin().  Errors: of Companion::start, entry_publish, gate_bind; asleep: one of them failed.
    Outcome open(PcGuest& guest, u64 slots);
    void begin();
    /// Wait until all of them have ended, which they do with the machine.
    void join();

    void wake(u64 cpu) override;

  private:
    static constexpr u64 kFirstGate = kGatesPerEnvironment - kMaxGuestCpus;
    static constexpr u64 kEntry = kEntriesPerEnvironment - 1;
    enum Stage : u64 { made, published, opened, failed };

    struct Member {
        Team* team;
        u64 cpu;
        u64 stage;
        Capability entry;
        libos::Companion companion;
        Monitor monitor;
    };

    static void run_member(void* member);
    Outcome publish(Member& member);
    Outcome bind_gates(u64 self);
    Outcome wait_for(Stage stage);
    u64 count() const { return guest_->cpus(); }

    PcGuest* guest_ = nullptr;
    Member members_[kMaxGuestCpus];
    u64 all_published_ = 0, begins_ = 0;
};

}  // namespace tessera::vmm
