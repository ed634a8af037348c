#include "libos/net/frame_bank.hpp"

#include <algorithm>
#include <cstring>

#include "libos/core/program.hpp"
#include "secure_bindings/capability.hpp"

namespace tessera::libos {

bool FrameBank::lend(u32 frame, EnvId to, Rights rights, Capability& capability) {
    const Capability& root = roots_[frame];
    Lent& lent = lent_[frame][rights.has(Right::write)];
    if (lent.to != to) {
        const auto narrowed = attenuate(root, only_rights(rights));
        const auto made = narrowed.ok() ? attenuate(narrowed.value(), only_presenter(to)) : narrowed;
        if (!made.ok()) return false;
        capability = made.value();
        lent = {to, {capability.tag[0], capability.tag[1]}};
        return true;
    }
    std::memcpy(static_cast<void*>(&capability), &root, kCapabilityRootSize);
    capability.caveats = 2;
    std::ranges::copy(lent.tag, capability.tag);
    capability.caveat[0] = only_rights(rights);
    capability.caveat[1] = only_presenter(to);
    capability.caveat[2] = capability.caveat[3] = {};
    return true;
}

u64 FrameBank::renew(std::span<const u32> frames) {
    u64 done = 0;
    while (done < frames.size() && renew(frames[done])) ++done;
    return done;
}

// Somebody may have taken the frame in between, or the kernel before, by force: any other is as good.
bool FrameBank::renew(u32 number) {
    Capability& root = roots_[number];
    lent_[number][0].to = lent_[number][1].to = {};
    FrameNumber frame{kAny};
    if (root.kind != ResourceKind::none) {
        frame = FrameNumber{root.first};
        const auto released = call<FrameRelease>({address(root), frame, 1});
        if (!released.ok() && released.error() != Error::stale_capability) return false;
        root.kind = ResourceKind::none;
    }
    return call<FrameAlloc>({frame, 1, 1, address(root)}).ok() || call<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(root)}).ok();
}

u64 FrameBank::slices_of(EnvId who) {
    const volatile u64& slices = environment_info(who).slices;
    return slices;
}

void FrameBank::close() {
    for (Capability& root : roots_)
        if (root.kind != ResourceKind::none) static_cast<void>(call<FrameRelease>({address(root), FrameNumber{root.first}, 1}));
}

}  // namespace tessera::libos
