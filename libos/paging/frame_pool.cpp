// Frames that came back are bits in a map; those never taken are a count. Fresh ones go last, as they are
// the only ones that need no clearing.
#include "libos/paging/frame_pool.hpp"

#include <algorithm>
#include <bit>

namespace tessera::libos {

Outcome FramePool::open(u64 count, u64 alignment) {
    if (count == 0 || count > kMaxFrames || count_ != 0) return Error::bad_argument;
    first_ = TRY(call<FrameAlloc>({FrameNumber{kAny}, count, alignment, address(capability_)}));
    count_ = end_ = free_ = count;
    untouched_ = hint_ = 0;
    returned_.fill(0);
    return Done{};
}

Outcome FramePool::close() {
    if (count_ == 0) return Error::bad_argument;
    for (u64 i = 0; i < count_;) {
        u64 run = 0;
        while (i + run < count_ && holds(first_ + (i + run))) ++run;
        if (run != 0) TRY(call<FrameRelease>({address(capability_), first_ + i, run}));
        i += run + 1;
    }
    count_ = end_ = free_ = 0;
    return Done{};
}

// Out of the middle of those that were never used, none goes without a trace: from then on they are frames like others,
// which are cleared before they are used.
void FramePool::drop(u64 index) {
    --free_;
    if (index >= untouched_ && index == end_ - 1) {
        --end_;
        return;
    }
    if (index >= untouched_) {
        for (; untouched_ < end_; ++untouched_) returned_[untouched_ / 64] |= u64{1} << untouched_ % 64;
        hint_ = 0;
    }
    returned_[index / 64] &= ~(u64{1} << index % 64);
}

u64 FramePool::release(u64 count) { return release_some(0, count_, count); }

u64 FramePool::release_named(FrameNumber first, u64 count) {
    const u64 from = first < first_ ? 0 : first - first_;
    const u64 end = first + count < first_ ? 0 : std::min(first + count - first_, count_);
    return from < end ? release_some(from, end, count) : 0;
}

// One call for a run; where one of it was lost meanwhile, one for each.
u64 FramePool::give_back(u64 first, u64 count) {
    if (call<FrameRelease>({address(capability_), first_ + first, count}).ok()) return count;
    u64 given = 0;
    for (u64 i = first; i < first + count; ++i) given += call<FrameRelease>({address(capability_), first_ + i, 1}).ok();
    return given;
}

u64 FramePool::release_some(u64 from, u64 end, u64 count) {
    u64 released = 0;
    while (end > from && released < count) {
        u64 run = 0;
        while (end - run > from && released + run < count && is_free(end - run - 1)) ++run;
        for (u64 i = end; i-- > end - run;) drop(i);
        if (run != 0) released += give_back(end - run, run);
        end -= run == 0 ? 1 : run;
    }
    return released;
}

u64 FramePool::forget_lost() {
    const u64 before = free_;
    for (u64 i = count_; i-- > 0;)
        if (is_free(i) && !holds(first_ + i)) drop(i);
    return before - free_;
}

FrameNumber FramePool::take(bool& is_zero) {
    is_zero = false;
    for (; hint_ * 64 < untouched_; ++hint_) {
        u64& word = returned_[hint_];
        if (word == 0) continue;
        const u64 bit = static_cast<u64>(std::countr_zero(word));
        word &= word - 1;
        --free_;
        return first_ + (hint_ * 64 + bit);
    }
    if (untouched_ == end_) return FrameNumber{kAny};
    is_zero = true;
    --free_;
    return first_ + untouched_++;
}

void FramePool::give(FrameNumber frame) {
    const u64 index = frame - first_;
    if (index >= untouched_ || returned_[index / 64] >> index % 64 & 1) return;
    returned_[index / 64] |= u64{1} << index % 64;
    hint_ = std::min(hint_, index / 64);
    ++free_;
}

}  // namespace tessera::libos
