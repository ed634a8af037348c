// Two pages in one entry of the S-TLB, both needed by one instruction: each fault brings one and drops the other,
// for ever. Seen as the same fault coming again with one or two different ones between; then that page is bound
// guaranteed, where it displaces nobody.
#pragma once

#include "exokernel/abi/span.hpp"
#include "exokernel/abi/upcalls.hpp"

namespace tessera::libos {

/// In an access, beside the bits of AccessKind: bind the page as a guaranteed mapping.
inline constexpr u64 kPin = u64{1} << 32;

/// The flags of a span (SpanFlag) that an access asks for: dirty for a write, guaranteed for a pin.
constexpr u64 span_flags_for(u64 access) {
    static_assert(static_cast<u64>(AccessKind::write) << 4 == static_cast<u64>(SpanFlag::dirty));
    static_assert(kPin >> 29 == static_cast<u64>(SpanFlag::guaranteed));
    return (access & static_cast<u64>(AccessKind::write)) << 4 | (access & kPin) >> 29;
}

/// The last faults, each as one word. What it takes for two pages to drop each other is told by these alone.
class RecentFaults {
  public:
    /// Enter a fault. True: it is one of the last but one.  Hot: 12 instructions.
    bool comes_again(u64 rip, VirtAddr address) {
        const u64 fault = rip ^ (address.value & ~(kPageSize - 1)) << 8;
        const bool again = (fault == second_ || fault == third_) && fault != first_;
        third_ = second_;
        second_ = first_;
        first_ = fault;
        return again;
    }

  private:
    u64 first_ = 0, second_ = 0, third_ = 0;
};

/// The pages that were pinned because of this: not more than a few at a time.
class Pins {
  public:
    static constexpr u64 kMaxPins = 8;

    /// `page` will be pinned. Returns the one that has to go instead; page 0: none.
    PageNumber replace(PageNumber page) {
        for (PageNumber each : pages_)
            if (each == page) return {};
        PageNumber& place = pages_[next_++ % kMaxPins];
        const PageNumber gone = place;
        place = page;
        return gone;
    }

  private:
    PageNumber pages_[kMaxPins]{};
    u64 next_ = 0;
};

}  // namespace tessera::libos
