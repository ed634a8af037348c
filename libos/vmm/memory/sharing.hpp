// Pages that are equal stand on one frame, whoever's they are: found by looking, not by asking what the guests do.
//
//   a page is looked at: hash --> a shared frame with that hash? ----> compare ----> one user more
//                             \-> a page noted with that hash? ----> compare ----> its frame is shared now, by both
//                              \-> note it, for who comes later, and tell the lender, if there is one (libos/vmm/lending)
//
// Comparing is: write-protect both, wherever they are bound; compare every byte; only then change the maps. Whoever writes
// behind that gets a copy of his own (Memory::back). Pages of zeros are most of what there is to find, and need no partner.
// (Waldspurger, OSDI 2002, section 4.)
#pragma once

#include "libos/vmm/memory/hints.hpp"
#include "libos/vmm/memory/peek.hpp"
#include "libos/vmm/memory/shared_frames.hpp"
#include "libos/vmm/monitor/memory.hpp"

namespace tessera::vmm {

struct SharingCounts {
    u64 looked;     ///< Pages that were hashed.
    u64 compared;   ///< Pairs of pages that were compared in full,
    u64 different;  ///< and were not equal: the hash was, or had been.
    u64 shared;     ///< Guest frames that came to stand on a shared frame; of these
    u64 zeros;      ///< so many on the one of zeros.
    u64 copied;     ///< Guest frames that went off it, because they were written.
    u64 passed;     ///< Pages that were not hashed, as they are written again and again.
    u64 lent;       ///< Frames that were borrowed, as they were equal.
};

/// Somewhere else to look for an equal page: with other monitors. Nothing is waited for: what comes of it comes to
/// Sharing::take_loan.
class Lender {
  public:
    /// A page with that hash has no equal here, or is on a frame of our own that others could stand on, too.
    virtual void tell(u64 hash) = 0;
    /// Nobody here uses it any more.
    virtual void give_back(SuppliedFrame frame) = 0;

  protected:
    ~Lender() = default;
};

class Sharing {
  public:
    explicit constexpr Sharing(FrameSupply& supply) : supply_(supply) {}
    Sharing(const Sharing&) = delete;
    Sharing& operator=(const Sharing&) = delete;

    /// For guests of so many frames in all. `seed`: any number that guests do not know.  Errors: of frame_alloc.
    /// Memory: about 20 bytes a guest frame, at most twice that.
    Outcome open(u64 guest_frames, u64 seed);
    /// Behind the last guest.  Errors: of frame_release.
    Outcome close();

    void set_lender(Lender* lender) { lender_ = lender; }

    /// A guest whose pages may be shared: of the frames that open() was told of. Its number, to be used below.
    u64 add(Memory& memory);

    /// Look whether this page is equal to one that was looked at before.  Cost: about 2500 instructions; when it is, twice that
    /// and a dozen system calls.
    void look_at(PageOf page);

    /// A guest frame does not stand on that frame any more. Frames that were never shared here are nobody's business.
    void drop(SuppliedFrame frame);
    /// The same, because the guest wrote there: it may well do so again.
    void drop_copied(PageOf page, SuppliedFrame frame);

    // ---- For the lender ----

    u64 seed() const { return seed_; }
    /// A page that had this hash when it was looked at last.
    std::optional<PageOf> page_with(u64 hash) const { return hints_.find(hash); }
    /// Its bytes. Null: it has none now.
    const u64* bytes_of(PageOf page);
    /// Somebody else's frame, adopted by the supply, that is said to be equal to that page. It is compared, like everything; if it is
    /// equal, the page stands on it, and others will. False: it is not used, and the caller's.
    bool take_loan(PageOf page, u64 hash, SuppliedFrame frame);
    /// Everybody here goes off loans of which `is_recalled` says so: each has a copy of its own then.  Cost: looks at all maps.
    template <class IsRecalled>
    void leave(IsRecalled&& is_recalled) {
        for (u64 guest = 0; guest < guest_count_; ++guest)
            for (u64 frame = 0; frame < guests_[guest]->frames(); ++frame) {
                const GuestFrame entry = guests_[guest]->entry(frame);
                if (entry.use() == FrameUse::shared && FrameSupply::is_loan(entry.frame().run) && is_recalled(entry.frame()))
                    static_cast<void>(guests_[guest]->back(frame, true, false));
            }
    }

    const SharingCounts& counts() const { return counts_; }
    const SharedFrames& table() const { return table_; }
    /// Of the frames in the table, so many are a lender's.
    u64 borrowed() const { return lent_; }
    /// Frames that would be needed besides if nothing were shared.
    u64 saved() const { return table_.users() - table_.frames() + lent_; }

  private:
    static constexpr u64 kMostEqualHashes = 4;  ///< A guest may prepare pages that fall together: it gains nothing by it.
    static constexpr SuppliedFrame kNowhere{FrameNumber{kAny}, 0};
    static constexpr u8 kMostRestless = 6;

    u8& restless(PageOf page) { return restless_[offsets_[page.guest] + page.guest_frame]; }
    bool is_worth_a_look(PageOf page);

    SharedFrames::Entry* find_or_make_zeros();
    bool join(PageOf page, SharedFrames::Entry& entry);
    bool pair(PageOf page, PageOf other, u64 hash);
    void look_at_shared(PageOf page);
    void stand_on(PageOf page, SharedFrames::Entry& entry);
    const u64* words(PageOf page);
    bool compare(const u64* one, const u64* other);

    FrameSupply& supply_;
    Lender* lender_ = nullptr;
    Memory* guests_[Hints::kMostGuests]{};
    u64 offsets_[Hints::kMostGuests]{};  // of a guest's first frame in restless_
    u64 guest_count_ = 0;
    u64 seed_ = 0, zero_hash_ = 0;
    SuppliedFrame zeros_ = kNowhere;
    RunWindow hint_memory_, entry_memory_, head_memory_, restless_memory_;
    std::span<u8> restless_;
    libos::RandomNumbers random_{0};
    Hints hints_;
    SharedFrames table_;
    Peek peek_;
    u64 lent_ = 0;
    SharingCounts counts_{};
};

}  // namespace tessera::vmm
