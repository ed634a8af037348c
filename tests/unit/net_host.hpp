// A switch's host without a kernel: it counts what it lends, and notices what a kernel would not forgive.
#pragma once

#include <set>
#include <vector>

#include "libos/net/switch_core.hpp"

namespace tessera::test {

using namespace libos;

/// Capabilities that are only numbers: `grant` says how often the frame was renewed.
class CountingHost final : public SwitchHost {
  public:
    explicit CountingHost(u64& slices) : slices_(slices), renewals_(Switch::kMaxFrames), pasts_(Switch::kMaxFrames) {}

    bool lend(u32 frame, EnvId to, Rights rights, Capability& capability) override {
        // To be filled: by the first who has it since it was renewed, or by the same one if one other has read it. To be read: by
        // others behind that one.
        Past& past = pasts_[frame];
        if (rights.has(Right::write)) {
            if (past.filler && (past.filler != to || past.readers.size() != 1)) ++wrong_;
            past.filler = to;
        } else {
            if (!past.filler) ++wrong_;
            past.readers.insert(to.value);
        }
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
            pasts_[frame] = {};
        }
        return frames.size();
    }
    u64 slices_of(EnvId) override { return slices_; }

    bool good(const NetResponse& response, EnvId who, Rights rights) const {
        const Capability& it = response.capability;
        return it.first == response.frame && it.presenter == who.value && it.rights == rights.bits && it.grant == renewals_[it.first];
    }
    /// Who but its filler has had it since it was renewed.
    const std::set<u64>& readers(u32 frame) const { return pasts_[frame].readers; }
    u64 wrong() const { return wrong_; }

  private:
    u64& slices_;
    struct Past {
        EnvId filler;
        std::set<u64> readers;
    };
    std::vector<u64> renewals_;
    std::vector<Past> pasts_;
    u64 wrong_ = 0;
};

}  // namespace tessera::test
