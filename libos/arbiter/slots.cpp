// Each slot has a capability of its own: those that are free need not be neighbours.
#include "libos/arbiter/slots.hpp"

#include "libos/arbiter/sampling.hpp"

namespace tessera::libos {

u64 SlotShares::open(u64 cpu, u64 count) {
    while (count_ < count && count_ < kSlotsPerCpu &&
           call<SlotTake>({cpu, SlotNumber{kAny}, 1, address(slots_[count_])}).ok())
        ++count_;
    return count_;
}

void SlotShares::deal(std::span<const EnvId> ids, std::span<const u64> shares) {
    std::array<u64, kMaxEnvironments> living{};
    std::array<u64, kSlotsPerCpu> order{};
    for (u64 i = 0; i < ids.size() && i < living.size(); ++i) living[i] = ids[i] ? shares[i] : 0;
    const bool dealt = deal_slots({living.data(), ids.size()}, {order.data(), count_});
    for (u64 i = 0; i < count_; ++i)
        static_cast<void>(call<SlotRun>({address(slots_[i]), SlotNumber{slots_[i].first}, 1, dealt ? ids[order[i]] : EnvId{}}));
}

}  // namespace tessera::libos
