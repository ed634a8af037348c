// What a monitor's scheduler sees of a virtual CPU, whichever form it has.
#pragma once

#include "libos/vmm/monitor/machine.hpp"

namespace tessera::vmm {

/// How a turn ended.
enum class Turn {
    over,   ///< Its time was.
    idle,   ///< Nothing to do before the board's next event, or a notification.
    ended,  ///< The machine does not go on.
};

class TurnTaker {
  public:
    /// Go on until the TSC is `until`, or there is nothing to do.
    virtual Turn run(u64 until) = 0;
    virtual bool is_halted() const = 0;
    /// Is the machine's end this one's to tell? One of its virtual CPUs does.
    virtual bool tells_end() const { return true; }
    /// Why the machine ended badly, in words.
    virtual void tell_end() = 0;
    virtual Machine& machine() = 0;

  protected:
    ~TurnTaker() = default;
};

}  // namespace tessera::vmm
