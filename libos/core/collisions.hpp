// Two pages in one entry of the S-TLB, both needed by one instruction: each fault brings one and drops the other,
// for ever. Then one of them is bound guaranteed, where it displaces nobody. Where there is no room for that, the program ends
// with what it lacks rather than stand still without a word.
//
// A livelock can wait a little to be found, and all other faults should not pay for it: now and then a few faults
// in a row are looked at, the others are only counted.
#pragma once

#include <array>
#include <bit>
#include <utility>

#include "exokernel/abi/span.hpp"
#include "exokernel/abi/upcalls.hpp"

namespace tessera::libos {

/// In an access, beside the bits of AccessKind: bind the page as a guaranteed mapping.
inline constexpr u64 kPin = u64{1} << 63;

/// The flags of a span (SpanFlag) that an access asks for: dirty for a write, guaranteed for a pin. One rotation.
constexpr u64 span_flags_for(u64 access) {
    constexpr int kTurn = 4;
    constexpr auto kDirty = static_cast<u64>(SpanFlag::dirty), kGuaranteed = static_cast<u64>(SpanFlag::guaranteed);
    static_assert(std::rotl(static_cast<u64>(AccessKind::write), kTurn) == kDirty);
    static_assert(std::rotl(kPin, kTurn) == kGuaranteed);
    return std::rotl(access, kTurn) & (kDirty | kGuaranteed);
}

/// Watches the faults of a program for one that comes again without getting on.
class CollisionWatch {
  public:
    static constexpr u64 kLooks = 6;     ///< Faults in a row that are looked at,
    static constexpr u64 kBetween = 26;  ///< and that are not, before the next look.

    /// Count a fault. True: look at it.  Hot: 2 instructions.
    bool is_due() { return --until_look_ == 0; }

    /// Look at a fault that is due. True: of the faults looked at, this same one was among those before, and since
    /// then the same instruction has missed another page of the same entry of an S-TLB of `stlb_entries`. Where one
    /// is found there will be more: the next look is at once.
    bool finds(u64 rip, PageNumber page, u64 stlb_entries) {
        // Order: an upcall may come between any two lines, and fault, and look: so no index is kept across one.
        const u64 at = looks_ % kLooks;
        seen_[at] = {rip, page};
        looks_ = at + 1;
        until_look_ = at + 1 < kLooks ? 1 : kBetween;
        if (at + 1 < kLooks) return false;
        bool displaced = false;
        for (u64 i = at; i-- > 0;) {
            if (seen_[i].rip != rip) continue;
            if (seen_[i].page == page) {
                if (displaced) until_look_ = 1;
                return displaced;
            }
            displaced |= (seen_[i].page.value ^ page.value) % stlb_entries == 0;
        }
        return false;
    }

    /// A page among the last faults that were looked at which stands in the same entry as `page`; page 0: none.
    PageNumber partner_of(PageNumber page, u64 stlb_entries) const {
        for (const Fault& each : seen_)
            if (each.page != page && each.page.value != 0 && (each.page.value ^ page.value) % stlb_entries == 0) return each.page;
        return {};
    }

  private:
    struct Fault {
        u64 rip;
        PageNumber page;
    };
    u64 until_look_ = kBetween;
    u64 looks_ = 0;
    std::array<Fault, kLooks> seen_{};
};

/// Tells an instruction that will never get on from one that comes again: that one has done something meanwhile, and an
/// instruction that reaches another page has another register. (Of registers the record has those that a call loses; so a loop that only
/// reads by the others looks like standing still, but only until anything else happens.)
class Standstill {
  public:
    static constexpr u64 kEnough = 1024;

    /// A displaced page could not be pinned. True: so it was kEnough times in a row, and nothing has changed.
    bool lasts(const SaveRecord& record) {
        const Registers now{record.rip, record.rsp, record.rax, record.rcx, record.rdx, record.scratch[0], record.scratch[1],
                            record.scratch[2], record.scratch[3], record.scratch[4], record.scratch[5]};
        times_ = now == then_ ? times_ + 1 : 0;
        then_ = now;
        return times_ >= kEnough;
    }

  private:
    using Registers = std::array<u64, 11>;
    Registers then_{};
    u64 times_ = 0;
};

/// The pages that were pinned because of this: not more than a few at a time.
class Pins {
  public:
    static constexpr u64 kMaxPins = 8;

    /// One of them, which is none any more; page 0: there are none.
    PageNumber take_one() {
        for (PageNumber& each : pages_)
            if (each.value != 0) return std::exchange(each, PageNumber{});
        return {};
    }

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
