#include "exokernel/core/frame_bindings.hpp"

#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/core/kernel.hpp"
#include "stlb/stlb.hpp"

namespace tessera::kernel {
namespace {

BackMap back_map() { return BackMap{at<std::byte>(PhysAddr{0}), frames.table()}; }

/// The entry lies in a frame that is charged to its context.
Context& context_of(const StlbEntry& entry) { return *context_at(u64{frames.info(frame_of(physical(&entry))).context} - 1); }

}  // namespace

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
