// What was taken by force, as far as paging has to know: which frames are gone, and where their bytes went.
//
// That a frame is gone shows in the kernel's table, which everybody can read: its grant is another one. Where its bytes
// went stands in the repossession vector, until libos/revocation has dealt with it.
#pragma once

#include <optional>

#include "exokernel/abi/revocation.hpp"
#include "libos/core/program.hpp"

namespace tessera::libos {

/// This environment's repossession vector, once it has one (libos/revocation).
inline constinit const RepossessionVector* repossessions = nullptr;

/// Is the frame still what the capability was given for?  Hot: two loads and a compare.
inline bool holds(const Capability& capability, FrameNumber frame) {
    return frame_info(frame).grant == capability.grant;
}

/// Where the bytes of a lost frame are.
struct Saved {
    AutosaveKind kind;
    FrameNumber frame;  ///< copy: here.
};

/// What the vector says of `frame`. The newest line counts, as a frame may have been lost, come back, and been lost again.
/// Nothing: it has no line for it; there may not have been room for one.
inline std::optional<Saved> find_saved(FrameNumber frame) {
    if (repossessions == nullptr) return {};
    const volatile u32& used = repossessions->used;
    for (u64 i = used < RepossessionVector::kLines ? used : RepossessionVector::kLines; i-- > 0;) {
        const Repossession& line = repossessions->line[i];
        if (line.kind != RevocationKind::frames || frame.value - line.first >= line.count) continue;
        return Saved{line.saved, FrameNumber{line.destination + (frame.value - line.first)}};
    }
    return {};
}

/// Have `forget` look through all that could be lost, until nothing was lost meanwhile, and take the lines off the vector.
/// Returns how many units were lost that there was no line for.
/// Order: the lines go only if they are all that there were when `forget` began, in one instruction: the kernel may add
/// one between any two.
template <class Forget>
u64 settle_losses(RepossessionVector& vector, Forget forget) {
    for (u64 unreported = 0;;) {
        u32 seen = __atomic_load_n(&vector.used, __ATOMIC_RELAXED);
        unreported += __atomic_exchange_n(&vector.unreported, 0, __ATOMIC_RELAXED);
        forget();
        if (__atomic_load_n(&vector.unreported, __ATOMIC_RELAXED) == 0 &&
            __atomic_compare_exchange_n(&vector.used, &seen, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return unreported;
    }
}

}  // namespace tessera::libos
