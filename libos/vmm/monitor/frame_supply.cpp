#include "libos/vmm/monitor/frame_supply.hpp"

#include <algorithm>

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
    const SuppliedFrame first{FrameNumber{capability.first}, 0};
    if (capability.count == 1 && !loans_.empty()) {
        if (free_loan_ == 0) return Error::exhausted;
        const u64 place = free_loan_ - 1;
        free_loan_ = loans_[place].first;
        loans_[place] = capability;
        return SuppliedFrame{first.number, kMaxRuns + place};
    }
    const u64 place = free_place();
    if (place == kNone) return Error::exhausted;
    runs_[place] = {capability, capability.count, true};
    return SuppliedFrame{first.number, place};
}

void FrameSupply::disown(SuppliedFrame frame) {
    if (!is_loan(frame.run)) {
        if (runs_[frame.run].adopted) runs_[frame.run] = {};
        return;
    }
    Capability& place = loans_[frame.run - kMaxRuns];
    place.kind = ResourceKind::none;
    place.first = free_loan_;
    free_loan_ = frame.run - kMaxRuns + 1;
}

Outcome FrameSupply::open_loans(std::span<Capability> places) {
    TRY(call<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(stand_in_)}));
    loans_ = places.first(std::min(places.size(), kMostLoans));
    free_loan_ = 0;
    for (u64 run = kMaxRuns + loans_.size(); run-- != kMaxRuns;) disown({{}, run});
    return Done{};
}

Outcome FrameSupply::close_loans() {
    loans_ = {};
    TRY(call<FrameRelease>({address(stand_in_), FrameNumber{stand_in_.first}, 1}));
    return Done{};
}

void FrameSupply::give(SuppliedFrame first, u64 count) {
    if (is_adopted(first.run)) return;
    Run& run = runs_[first.run];
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
