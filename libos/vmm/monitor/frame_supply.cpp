#include "libos/vmm/monitor/frame_supply.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

u64 FrameSupply::free_place() {
    for (u64 i = 0; i < kMaxRuns; ++i) {
        const u64 place = (hint_ + i) % kMaxRuns;
        if (runs_[place].live != 0) continue;
        hint_ = place + 1;
        return place;
    }
    return kNone;
}

Result<SuppliedFrame> FrameSupply::take_run(u64 count, u64 alignment) {
    const u64 place = free_place();
    if (place == kNone) return Error::exhausted;
    Run& run = runs_[place];
    const FrameNumber first = TRY(call<FrameAlloc>({FrameNumber{kAny}, count, alignment, address(run.capability)}));
    run.live = count;
    run.adopted = false;
    taken_ += count;
    return SuppliedFrame{first, place};
}

// What is left of a batch counts as live until it is handed out: a run is not free while it is the open one.
Result<SuppliedFrame> FrameSupply::take() {
    if (open_ == kNone) {
        auto batch = take_run(kBatch, 1);
        if (!batch.ok()) batch = take_run(1, 1);
        const SuppliedFrame first = TRY(batch);
        open_ = first.run;
        open_used_ = 0;
    }
    const Capability& capability = runs_[open_].capability;
    const SuppliedFrame frame{FrameNumber{capability.first + open_used_}, open_};
    if (++open_used_ == capability.count) open_ = kNone;
    return frame;
}

Result<SuppliedFrame> FrameSupply::adopt(const Capability& capability) {
    const u64 place = free_place();
    if (place == kNone) return Error::exhausted;
    runs_[place] = {capability, capability.count, true};
    return SuppliedFrame{FrameNumber{capability.first}, place};
}

void FrameSupply::give(SuppliedFrame first, u64 count) {
    Run& run = runs_[first.run];
    if (run.adopted) return;
    // A frame that was taken by force is not ours to give back: either way it is gone.
    static_cast<void>(call<FrameRelease>({address(run.capability), first.number, count}));
    run.live -= count;
    taken_ -= count;
}

u64 FrameSupply::trim() {
    if (open_ == kNone) return 0;
    const Capability& capability = runs_[open_].capability;
    const u64 left = capability.count - open_used_;
    give({FrameNumber{capability.first + open_used_}, open_}, left);
    open_ = kNone;
    return left;
}

}  // namespace tessera::vmm
