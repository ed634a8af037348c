// The pages that an environment touches after each switch, as a libOS would manage them: one run of frames, one
// run of pages, one TLB-entry capability for the whole; what is missed is bound again with that.
#pragma once

#include "libos/core/libos.hpp"

namespace tessera::bench {

using namespace tessera::libos;

inline constexpr u64 kMostPages = 512;
inline constexpr u64 kPageWords = kPageSize / 8;

/// What environment `member` of the ring finds in its page `page`: bench/stlb.py knows it too.
constexpr u64 contents_of(u64 member, u64 page) { return (member + 1) * 1'000'003 + page * page + 7; }

class WorkingSet {
  public:
    /// Take the frames. Their pages lie in the upper half of an S-TLB of 1024 entries; the image's begin at a
    /// multiple of 1024, so that the two never displace each other.
    Outcome open(u64 member) {
        member_ = member;
        first_frame_ = TRY(call<FrameAlloc>({FrameNumber{kAny}, kMostPages, 1, address(frames_)}));
        return Done{};
    }

    /// From now on it has `count` pages. With the policy `preload` they are asked for as guaranteed mappings, if
    /// they fit what the hardware side may hold: which pages those are is the libOS's choice, and a libOS that
    /// knows its working set chooses that. Pages are written when they first belong to it.
    Outcome resize(u64 count) {
        if (count_ != 0) TRY(call<Unbind>({PageSpan::make(kFirst, count_), {}}));
        count_ = count;
        if (count == 0) return Done{};
        PageSpan span = PageSpan::make(kFirst, count, Right::read | Right::write);
        if (guaranteed()) span = span.with(SpanFlag::guaranteed);
        TRY(call<Bind>({address(frames_), first_frame_, span, {}, address(tlb_entry_)}));
        for (; written_ < count; ++written_) words()[written_ * kPageWords] = contents_of(member_, written_);
        return Done{};
    }

    /// One load from each page; their sum. Four instructions a page.  Hot: this is what is measured.
    [[gnu::always_inline]] u64 touch() const {
        u64 sum = 0;
        const volatile u64* const end = words() + count_ * kPageWords;
        for (const volatile u64* at = words(); at != end; at += kPageWords) sum += *at;
        return sum;
    }

    /// A page is missing: bind it under the capability that stands for the whole. For the fault handler.
    bool resolve(VirtAddr at) const {
        const PageNumber page = page_of(at);
        if (page - kFirst >= count_) return false;
        const PageSpan span = PageSpan::make(page, 1, Right::read | Right::write);
        return enter_kernel<Rebind>({address(tlb_entry_), span, {}}).error == Error::ok;
    }

  private:
    static constexpr PageNumber kFirst{0x10'0200};
    static constexpr u64 kImageGuaranteed = 32;  ///< Room for the image's own guaranteed mappings.

    bool guaranteed() const {
        const u64 bound = information().tlb_entries;
        return information().policy == SwitchPolicy::preload && (bound == 0 || count_ + kImageGuaranteed <= bound);
    }
    static volatile u64* words() { return reinterpret_cast<volatile u64*>(address_of(kFirst).value); }

    u64 member_ = 0, count_ = 0, written_ = 0;
    FrameNumber first_frame_;
    Capability frames_, tlb_entry_;
};

}  // namespace tessera::bench
