#include "libos/vmm/monitor/frame_supply.hpp"

#include <algorithm>

namespace tessera::vmm {

using namespace tessera::libos;

Outcome FrameSupply::grow(u64 runs) {
    if (more_ != 0 || kRuns + runs > kMostRuns) return Error::exhausted;
    TRY(more_memory_.take((runs * sizeof(Run) + kPageSize - 1) / kPageSize));
    more_ = runs;
    return Done{};
}

FrameSupply::Run& FrameSupply::take_place(u64 place) {
    Run& run = at(place);
    if (free_ != 0)
        free_ = run.next;
    else
        ++untouched_;
    return run;
}

void FrameSupply::free_run(u64 place) {
    Run& run = at(place);
    run.live = 0;
    run.next = free_;
    free_ = static_cast<u32>(place) + 1;
}

// Order: a place is taken when there is something to put there; the capability lies in it by then.
Result<SuppliedFrame> FrameSupply::take_run(u64 count, u64 alignment) {
    const u64 place = free_place();
    if (place == kNone) return Error::exhausted;
    if (taken_ + count > most_) return Error::quota;
    const FrameNumber first = TRY(call<FrameAlloc>({FrameNumber{kAny}, count, alignment, address(at(place).capability)}));
    Run& run = take_place(place);
    run.live = count;
    run.adopted = false;
    taken_ += count;
    return SuppliedFrame{first, place};
}

// The kernel looks through all of memory for a run that is not there: so it is not asked each time for one as long as there
// should be.
Result<SuppliedFrame> FrameSupply::take_batch() {
    constexpr u64 kPatience = 32;  // batches, before a larger one is tried
    for (;;) {
        const auto batch = take_run(batch_, 1);
        if (!batch.ok() && batch_ == 1) return batch;
        if (batch.ok() && ++batches_ != kPatience) return batch;
        batches_ = 0;
        batch_ = batch.ok() ? std::min(4 * batch_, kBatch) : batch_ / 4;
        if (batch.ok()) return batch;
    }
}

// What is left of a batch counts as live until it is handed out: a run is not free while it is the open one.
Result<SuppliedFrame> FrameSupply::take() {
    if (open_ == kNone) {
        const SuppliedFrame first = TRY(take_batch());
        open_ = first.run;
        open_used_ = 0;
    }
    const Capability& capability = at(open_).capability;
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
        return SuppliedFrame{first.number, kMostRuns + place};
    }
    const u64 place = free_place();
    if (place == kNone) return Error::exhausted;
    Run& run = take_place(place);
    run.capability = capability;
    run.live = capability.count;
    run.adopted = true;
    return SuppliedFrame{first.number, place};
}

void FrameSupply::disown(SuppliedFrame frame) {
    if (!is_loan(frame.run)) {
        if (!at(frame.run).adopted) return;
        at(frame.run).adopted = false;
        return free_run(frame.run);
    }
    Capability& place = loans_[frame.run - kMostRuns];
    place.kind = ResourceKind::none;
    place.first = free_loan_;
    free_loan_ = frame.run - kMostRuns + 1;
}

Outcome FrameSupply::open_loans(std::span<Capability> places) {
    TRY(call<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(stand_in_)}));
    loans_ = places.first(std::min(places.size(), kMostLoans));
    free_loan_ = 0;
    for (u64 run = kMostRuns + loans_.size(); run-- != kMostRuns;) disown({{}, run});
    return Done{};
}

Outcome FrameSupply::close_loans() {
    loans_ = {};
    TRY(call<FrameRelease>({address(stand_in_), FrameNumber{stand_in_.first}, 1}));
    return Done{};
}

void FrameSupply::give(SuppliedFrame first, u64 count) {
    if (is_adopted(first.run)) return;
    Run& run = at(first.run);
    // A frame that was taken by force is not ours to give back: either way it is gone.
    static_cast<void>(call<FrameRelease>({address(run.capability), first.number, count}));
    run.live -= count;
    taken_ -= count;
    if (run.live == 0) free_run(first.run);
}

u64 FrameSupply::trim() {
    if (open_ == kNone) return 0;
    const Capability& capability = at(open_).capability;
    const u64 left = capability.count - open_used_;
    give({FrameNumber{capability.first + open_used_}, open_}, left);
    open_ = kNone;
    return left;
}

}  // namespace tessera::vmm
