// The frames that a switch lends: its own, each with a capability that it narrows for whoever gets the frame next.
//
// Renewing is giving a frame back to the kernel and taking it again: that writes a new grant number, which kills every capability
// and binding of it, and the kernel clears it before anybody sees it. The switch itself never binds one.
//
// Who gets a frame again that was not renewed meanwhile gets the same capability again: its tag is remembered.
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
    /// The last that was lent of a frame, to be filled or to be read.
    struct Lent {
        EnvId to;
        u64 tag[2];
    };

    bool renew(u32 frame);
    Capability roots_[Switch::kMaxFrames]{};
    Lent lent_[Switch::kMaxFrames][2]{};
};

}  // namespace tessera::libos
