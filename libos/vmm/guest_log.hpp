// Where the software copy of the machine says what is worth a line: a port that nobody answers, a ring that lies.
//
// The devices print nothing themselves, as they also run in tests; and they say each thing a bounded number of times,
// so that no guest can fill the monitor's log.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

class GuestLog {
  public:
    /// `who` and `what` stay where they are for ever; `number` is what it is about: a port, a queue.
    virtual void note(const char* who, const char* what, u64 number) = 0;

  protected:
    ~GuestLog() = default;
};

/// Remembers up to 16 numbers, to say something once about each.
class OnceEach {
  public:
    /// Is this the first time? Once 16 are known the answer is no for every other.
    constexpr bool first(u32 number) {
        for (u32 i = 0; i < count_; ++i)
            if (known_[i] == number) return false;
        if (count_ == kMost) return false;
        known_[count_++] = number;
        return true;
    }

  private:
    static constexpr u32 kMost = 16;
    u32 known_[kMost]{};
    u32 count_ = 0;
};

}  // namespace tessera::vmm
