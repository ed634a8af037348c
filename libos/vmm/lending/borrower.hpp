// A monitor's side of sharing with other monitors: what its guests' pages have no equal for here is told to a lender, what the lender
// wants to see is shown, and what it lends is compared and used.
//
//   static Borrower borrower(supply);
//   borrower.open("lender", 4096);            before the manager, whose hashes have the lender's seed
//   borrower.serve(manager.sharing());  monitor.add(borrower);
//
// It never waits for the lender: one that is slow, lies or has ended costs the monitor nothing but what it had lent.
#pragma once

#include <array>
#include <string_view>

#include "libos/transfer/gate.hpp"
#include "libos/vmm/lending/lending_ring.hpp"
#include "libos/vmm/memory/sharing.hpp"
#include "libos/vmm/monitor/monitor.hpp"

namespace tessera::vmm {

struct BorrowerCounts {
    u64 told, shown, lent, unequal, recalled;
};

class Borrower final : public Lender, public Chore {
  public:
    explicit constexpr Borrower(FrameSupply& supply) : supply_(supply) {}
    Borrower(const Borrower&) = delete;
    Borrower& operator=(const Borrower&) = delete;

    /// Take a seat with the environment called `lender`, waiting until `deadline` (TSC; 0: for ever), for up to `loans` frames at a time.
    /// Errors: asleep, of frame_alloc, gate_bind, post.  Memory: 168 bytes a loan, and kLendingPages.
    Outcome open(std::string_view lender, u64 loans, u64 deadline = 0);
    /// Behind the last guest.  Errors: of frame_release.
    Outcome close();
    /// The seed that all have for their hashes: Sharing::open needs it. 0: there is no lender.
    u64 seed() const { return seed_; }
    /// Is there still a lender that keeps the rules?
    bool is_open() const { return open_; }
    /// Pages are found there, and come to stand on what was lent.
    void serve(Sharing& sharing) {
        sharing_ = &sharing;
        sharing.set_lender(this);
    }
    /// What has come and gone, as a record.
    void report() const;

    void tell(u64 hash) override;
    void give_back(SuppliedFrame frame) override;
    u64 tend(u64 now) override;

    const BorrowerCounts& counts() const { return counts_; }

  private:
    /// What became of a page that was shown.
    struct Shown {
        bool under_way;
        PageOf page;
        u64 hash;
    };
    static constexpr u64 kRecalled = u64{1} << 63, kReturning = u64{1} << 62;  // beside the bits of a LoanId

    LendingRing& ring() const { return *reinterpret_cast<LendingRing*>(ring_memory_.memory()); }
    u64& loan(u64 run) { return loans_[run - FrameSupply::kMostRuns]; }
    bool put(LendingRequest request, u64 reserve);
    void stop(const char* why);
    void on_answer(const LendingAnswer& answer);
    void show(u64 hash);
    void on_lends(Shown shown, LoanId id, const Capability& capability);
    void on_recall(LoanId id);
    void send_returns();
    void leave_recalled(u64 now);

    FrameSupply& supply_;
    Sharing* sharing_ = nullptr;
    RunWindow ring_memory_, capability_memory_, loan_memory_;
    std::span<u64> loans_;  // the LoanId at each place of the supply's loans; 0: none
    libos::Gate bell_;
    EnvId lender_;
    LendingWriter<LendingRequest, kLendingRequests> requests_;
    LendingReader<LendingAnswer, kLendingAnswers> answers_;
    std::array<Shown, kShownPages> shown_{};
    u64 seed_ = 0, returning_ = 0, recalled_ = 0;
    u64 leave_at_ = 0;  // TSC
    bool open_ = false;
    BorrowerCounts counts_{};
};

}  // namespace tessera::vmm
