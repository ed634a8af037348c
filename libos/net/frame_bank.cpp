#include "libos/net/frame_bank.hpp"

#include "libos/core/program.hpp"
#include "secure_bindings/capability.hpp"

namespace tessera::libos {

bool FrameBank::lend(u32 frame, EnvId to, Rights rights, Capability& capability) {
    const auto narrowed = attenuate(roots_[frame], only_rights(rights));
    if (!narrowed.ok()) return false;
    const auto lent = attenuate(narrowed.value(), only_presenter(to));
    if (lent.ok()) capability = lent.value();
    return lent.ok();
}

u64 FrameBank::renew(std::span<const u32> frames) {
    u64 done = 0;
    while (done < frames.size() && renew(roots_[frames[done]])) ++done;
    return done;
}

// Somebody may have taken the frame in between: any other is as good.
bool FrameBank::renew(Capability& root) {
    FrameNumber frame{kAny};
    if (root.kind != ResourceKind::none) {
        frame = FrameNumber{root.first};
        if (!call<FrameRelease>({address(root), frame, 1}).ok()) return false;
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
