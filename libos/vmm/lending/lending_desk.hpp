// The lender's rules: which contents it has on a frame, who stands on it, what is answered, who breaks the rules.
//
//   has    --> a loan with that hash, or another monitor that said so? --> show it
//   shows  --> equal to a loan, byte for byte? --> lend it             no? --> copy it into a frame, and lend that
//   the last user has returned it, or has ended --> the frame goes back
//
// So a monitor gets access to no bytes but those that it has shown, and a frame holds what was copied into it: nobody else can
// write it. Hashes are only believed as far as they save comparisons. Everything is bounded: the frames, how many of them one
// monitor may be the only user of, what is looked at for one request, and how much is done for one before the others' turn.
//
// Pure: rings are memory, frames are the host's (LendingHost).
#pragma once

#include <array>
#include <span>

#include "libos/vmm/lending/announced.hpp"
#include "libos/vmm/lending/lending_ring.hpp"

namespace tessera::vmm {

/// The frames behind loans, by place.
class LendingHost {
  public:
    /// A frame with a copy of that page. False: there is none to have.
    virtual bool fill(u64 place, const std::byte* shown) = 0;
    virtual bool is_equal(u64 place, const std::byte* shown) = 0;
    /// A capability for `to` to read it.
    virtual Capability lend(u64 place, EnvId to) = 0;
    /// The frame goes, and with it everything that anybody can do with it.
    virtual void drop(u64 place) = 0;

  protected:
    ~LendingHost() = default;
};

struct LendingCounts {
    u64 told, asked, shown, filled, lent, refused, compared, different, returned;
};

class LendingDesk {
  public:
    static constexpr u64 kSeats = 8;
    static constexpr u64 kMostEqualHashes = 4;  ///< Loans with one hash.
    static constexpr u64 kTurn = 64;            ///< Requests of one monitor before the others' turn, of which
    static constexpr u64 kShowsInTurn = 4;      ///< so many show something.

    struct Loan {
        u64 hash;
        u32 generation;
        u32 next;  // 1 + place: of the same head, or the next free one
        u16 users;  // a bit for each seat
        bool recalled;
    };

    /// `loans`: how many frames there may be. `heads`: a power of two, zero. `announced`: as of Announced. `secret`: what no monitor
    /// knows, so that none can prepare hashes that make one long chain.
    LendingDesk(LendingHost& host, std::span<Loan> loans, std::span<u32> heads, std::span<u64> announced, u64 secret);

    /// A monitor.  Errors: exhausted.
    Result<u64> seat(EnvId who, LendingRing& ring, u64 seed);
    /// It has ended, or is not to be served any more: it uses nothing.
    void unseat(u64 seat);
    bool is_seated(u64 seat) const { return seats_[seat].ring != nullptr; }
    EnvId who(u64 seat) const { return seats_[seat].who; }
    /// Why it is cut off; null: it is not.
    const char* reason(u64 seat) const { return seats_[seat].reason; }
    LendingRing& ring(u64 seat) { return *seats_[seat].ring; }

    /// Serve everybody a turn. False: there was nothing to do.
    bool sweep();
    bool has_work();

    /// Ask for up to `count` loans to be returned, those with the fewest users first. How many were asked for. They are lent to
    /// nobody else.
    u64 recall(u64 count);
    /// Those that were recalled and are still used go all the same.
    void drop_recalled();
    u64 recalled() const { return recalled_; }

    u64 loans() const { return used_; }
    /// Monitors' uses of them: each would be a frame of its own.
    u64 uses() const { return uses_; }
    const LendingCounts& counts() const { return counts_; }

  private:
    struct Seat {
        EnvId who;
        LendingRing* ring = nullptr;
        LendingReader<LendingRequest, kLendingRequests> requests;
        LendingWriter<LendingAnswer, kLendingAnswers> answers;
        u64 alone = 0;  // loans that it is the only user of
        const char* reason = nullptr;
    };

    static constexpr u64 kFactor = 0x9e37'79b9'7f4a'7c15;

    bool serve(u64 seat);
    void on_request(u64 seat, const LendingRequest& request);
    void on_has(u64 seat, u64 hash);
    bool is_known_of_others(u64 hash, u64 seat);
    void on_shows(u64 seat, u64 place, u64 hash);
    bool lend(u64 seat, u64 place, u64 shown);
    u32 make(u64 hash);
    void set_users(u64 place, u16 users);
    void free(u64 place);
    bool tell(u64 seat, const LendingAnswer& answer, u64 reserve);
    u32& head_of(u64 hash) { return heads_[((hash ^ secret_) * kFactor >> 32) % heads_.size()]; }
    static void cut_off(Seat& seat, const char* reason);

    LendingHost& host_;
    std::span<Loan> loans_;
    std::span<u32> heads_;
    Announced announced_;
    u64 secret_;
    u32 free_ = 0;        // 1 + place
    u64 untouched_ = 0;   // places from here on were never used
    std::array<Seat, kSeats> seats_{};
    u64 used_ = 0, uses_ = 0, recalled_ = 0;
    LendingCounts counts_{};
};

}  // namespace tessera::vmm
