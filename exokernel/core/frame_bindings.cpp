#include "exokernel/core/frame_bindings.hpp"

#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/core/back_map.hpp"

namespace tessera::kernel {

bool sample_bindings(FrameNumber frame, bool large) {
    const BackMap map = back_map();
    const FrameInfo& info = frames.info(frame);
    bool touched = false;
    u64 looked = 0;
    for (u32 name = large ? info.large_bindings : info.bindings; name != 0; name = map.entry(name)->next) {
        if (++looked > kSampledBindings) return true;
        StlbEntry& entry = *map.entry(name);
        if (!is_live(entry.tag)) continue;
        Context& context = context_of(entry);
        // A page that was just bound is noted by the hardware alone.
        const u64 noted = entry.slot != context.stlb.dead_slot ? entry.pte | *entry.slot : entry.pte;
        if (!(noted & pte::kAccessed)) continue;
        touched = true;
        entry.pte &= ~pte::kAccessed;
        *entry.slot = 0;  // the next touch refills it and notes it
        flush_translations(context, page_in(entry.tag), 1, large);
    }
    return touched;
}

void note_written(FrameNumber frame) {
    const BackMap map = back_map();
    for (u32 name = frames.info(frame).bindings; name != 0; name = map.entry(name)->next)
        map.entry(name)->pte |= pte::kAccessed | pte::kDirty;
}

}  // namespace tessera::kernel
