// Who runs when in this environment: its virtual CPUs take turns, idle ones are passed over, and when all are idle the
// environment sleeps, so that its slots are others'.
#pragma once

#include <optional>

#include "exokernel/abi/transfer.hpp"
#include "libos/vmm/monitor/fpu.hpp"
#include "libos/vmm/monitor/turns.hpp"

namespace tessera::vmm {

/// Something that a monitor does now and then beside its guests: read the console, watch the balloon.
class Chore {
  public:
    /// It is `now` on the TSC. When to be called again, at the latest; kNever: when something else happens.
    virtual u64 tend(u64 now) = 0;
    static constexpr u64 kNever = ~u64{0};

    /// Is there something to do before it is due? Looked at before every turn.
    virtual bool is_pressing() const { return false; }
    /// The word that makes it pressing, to wake up for while all guests are idle.
    virtual std::optional<WakeTerm> wakes() const { return {}; }
    /// Whose work that is: it gets the CPU before the monitor sleeps.
    virtual EnvId waits_for() const { return {}; }

  protected:
    ~Chore() = default;
};

class Monitor {
  public:
    static constexpr u64 kMaxProcessors = kGuestsPerEnvironment, kMaxChores = 8;

    /// False: there are kMaxProcessors already.
    bool add(TurnTaker& processor);
    bool add(Chore& chore);

    /// Events (of `notify`) that wake it up while all guests are idle.
    void set_events(u64 events) { events_ = events; }

    /// Until every machine has ended. A machine that fails has its report printed at once, and the others go on.
    void run();

  private:
    struct Place {
        TurnTaker* processor;
        FpuState fpu;
        bool told;  ///< Its end has been reported.
    };

    void take_turn(Place& place);
    void end(Place& place);
    u64 tend_chores(Machine& machine, u64 now);
    void sleep(u64 now, u64 chores_due);
    bool pressing() const;

    Place places_[kMaxProcessors];
    Chore* chores_[kMaxChores];
    u64 count_ = 0, chore_count_ = 0;
    Place* loaded_ = nullptr;  ///< Whose FPU registers the CPU has.
    u64 events_ = 0;
    u64 turn_ = 0;             ///< Ticks of a turn.
};

}  // namespace tessera::vmm
