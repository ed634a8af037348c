// A lender as a libOS of its own: monitors that agree to it stand on the same frames where their guests' pages are equal.
//
// A monitor asks by posting its ring (lending_ring.hpp), narrowed to the lender, on the board, and ringing the lender's bell. The
// frames are the keeper's (frame_keeper.hpp). When the kernel asks the keeper for frames, the lender recalls what has the
// fewest users, as each of them will need a frame for what he had.
#pragma once

#include <optional>
#include <string_view>

#include "libos/ipc/shared_memory.hpp"
#include "libos/vmm/lending/frame_keeper.hpp"
#include "libos/vmm/lending/lending_desk.hpp"
#include "libos/vmm/monitor/windows.hpp"

namespace tessera::vmm {

inline constexpr std::string_view kLendingPost = "lending", kLendingBell = "lendbell";
/// Notified by who has posted a ring; events below it are the seats'.
inline constexpr u64 kLendingAsks = u64{1} << 63;

/// The frames behind loans, each bound for as long as it takes to copy or compare.
class LoanFrames : public LendingHost, private Window {
  public:
    /// Memory: a capability for each loan.  Errors: of frame_alloc, KeptFrames::open.
    Outcome open(std::string_view keeper, u64 loans);
    KeptFrames& source() { return source_; }

    bool fill(u64 place, const std::byte* shown) override;
    bool is_equal(u64 place, const std::byte* shown) override;
    Capability lend(u64 place, EnvId to) override;
    void drop(u64 place) override;

  private:
    bool bind(u64 index, u64 access) override;
    std::byte* look_at(u64 place, Rights rights);

    KeptFrames source_;
    RunWindow root_memory_;
    std::span<Capability> roots_;
    u64 place_ = 0;
    Rights rights_;
};

class LenderProgram {
  public:
    explicit LenderProgram(LoanFrames& frames) : frames_(frames) {}

    /// `loans`: frames that may be lent at once; `customers`: a list of the environments that may borrow.
    /// Errors: of frame_alloc, entry_publish, post, LoanFrames::open.
    Outcome open(std::string_view keeper, u64 loans, std::string_view customers);
    /// Serve each a turn, or sleep. False: all of them have ended.
    bool serve();
    /// What has come and gone, as a record.
    void tell() const;
    LendingDesk& desk() { return *desk_; }

  private:
    bool is_needed() const;
    void accept_all();
    void accept(EnvId who, const Capability& posted);
    void look_after(u64 seat);
    void listen(bool listening);
    void answer_revocation();

    LoanFrames& frames_;
    RunWindow loan_memory_, head_memory_, announced_memory_;
    std::optional<LendingDesk> desk_;
    libos::SharedMemory rings_[LendingDesk::kSeats];
    static constexpr u64 kMostCustomers = LendingDesk::kSeats;
    EnvId customers_[kMostCustomers]{};
    u64 seen_[kMostCustomers]{};  ///< The tag of what each asked with last.
    u64 seed_ = 0, most_loans_ = 0, most_uses_ = 0, recalled_ = 0;
};

}  // namespace tessera::vmm
