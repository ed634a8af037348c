// Frames that came back are bits in a map; those never taken are a count. Fresh ones go last, as they are
// the only ones that need no clearing.
#include "libos/paging/frame_pool.hpp"

#include <algorithm>
#include <bit>

namespace tessera::libos {

Outcome FramePool::open(u64 count, u64 alignment) {
    if (count == 0 || count > kMaxFrames || count_ != 0) return Error::bad_argument;
    first_ = TRY(call<FrameAlloc>({FrameNumber{kAny}, count, alignment, address(capability_)}));
    count_ = free_ = count;
    untouched_ = hint_ = 0;
    returned_.fill(0);
    return Done{};
}

Outcome FramePool::close() {
    if (count_ == 0) return Error::bad_argument;
    TRY(call<FrameRelease>({address(capability_), first_, count_}));
    count_ = free_ = 0;
    return Done{};
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
    if (untouched_ == count_) return FrameNumber{kAny};
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
