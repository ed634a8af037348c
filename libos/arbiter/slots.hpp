// CPU time by proportional share: slots that the arbiter takes, and lets others run in (stride order: sampling.hpp).
#pragma once

#include <array>
#include <span>

#include "libos/core/call.hpp"

namespace tessera::libos {

class SlotShares {
  public:
    /// Take up to `count` free slots of CPU `cpu`. Returns how many there were.
    u64 open(u64 cpu, u64 count);

    /// Deal them to environments in proportion to their shares; those with id zero get none. With nobody to run in them they run
    /// their owner.
    void deal(std::span<const EnvId> ids, std::span<const u64> shares);

  private:
    std::array<Capability, kSlotsPerCpu> slots_{};
    u64 count_ = 0;
};

}  // namespace tessera::libos
