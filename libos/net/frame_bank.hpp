// The frames that a switch lends: its own, each with a capability that it narrows for whoever gets the frame next.
//
// Renewing is giving a frame back to the kernel and taking it again: that writes a new grant number, which kills every capability
// and binding of it, and the kernel clears it before anybody sees it. The switch itself never binds one.
#pragma once

#include "libos/core/call.hpp"
#include "libos/net/switch_core.hpp"

namespace tessera::libos {

class FrameBank final : public SwitchHost {
  public:
    bool lend(u32 frame, EnvId to, Rights rights, Capability& capability) override;
    u64 renew(std::span<const u32> frames) override;
    u64 slices_of(EnvId who) override;

    /// Everything back to the kernel.
    void close();

  private:
    bool renew(Capability& root);
    Capability roots_[Switch::kMaxFrames]{};
};

}  // namespace tessera::libos
