// A switch's host without a kernel: it counts what it lends, and notices what a kernel would not forgive.
#pragma once

#include <vector>

#include "libos/net/switch_core.hpp"

namespace tessera::test {

using namespace libos;

/// Capabilities that are only numbers: `grant` says how often the frame was renewed.
class CountingHost final : public SwitchHost {
  public:
    explicit CountingHost(u64& slices) : slices_(slices), renewals_(Switch::kMaxFrames), lent_(Switch::kMaxFrames) {}

    bool lend(u32 frame, EnvId to, Rights rights, Capability& capability) override {
        // To be filled: by the first who has it since it was renewed. To be read: by others behind that one.
        if (rights.has(Right::write) != (lent_[frame] == 0)) ++wrong_;
        ++lent_[frame];
        capability = Capability{};
        capability.kind = ResourceKind::frames;
        capability.rights = rights.bits;
        capability.first = frame;
        capability.grant = renewals_[frame];
        capability.presenter = to.value;
        return true;
    }
    u64 renew(std::span<const u32> frames) override {
        for (const u32 frame : frames) {
            ++renewals_[frame];
            lent_[frame] = 0;
        }
        return frames.size();
    }
    u64 slices_of(EnvId) override { return slices_; }

    bool good(const NetResponse& response, EnvId who, Rights rights) const {
        const Capability& it = response.capability;
        return it.first == response.frame && it.presenter == who.value && it.rights == rights.bits && it.grant == renewals_[it.first];
    }
    u64 wrong() const { return wrong_; }

  private:
    u64& slices_;
    std::vector<u64> renewals_, lent_;
    u64 wrong_ = 0;
};

}  // namespace tessera::test
