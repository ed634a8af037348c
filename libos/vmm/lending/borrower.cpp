#include "libos/vmm/lending/borrower.hpp"

#include <algorithm>

#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/transfer/board.hpp"
#include "libos/vmm/lending/lender_program.hpp"
#include "libos/vmm/memory/hash.hpp"
#include "secure_bindings/capability.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

constexpr u64 pages_for(u64 bytes) { return (bytes + kPageSize - 1) / kPageSize; }
constexpr u64 kIdBits = ~(u64{3} << 62);

}  // namespace

Outcome Borrower::open(std::string_view lender, u64 loans, u64 deadline) {
    bell_ = TRY(Gate::open(TRY(await_post(lender, kLendingBell, deadline))));
    lender_ = bell_.callee();
    TRY(ring_memory_.take(kLendingPages));
    TRY(capability_memory_.take(pages_for(loans * sizeof(Capability))));
    TRY(loan_memory_.take(pages_for(loans * sizeof(u64))));
    TRY(supply_.open_loans({reinterpret_cast<Capability*>(capability_memory_.memory()), loans}));
    loans_ = {reinterpret_cast<u64*>(loan_memory_.memory()), loans};
    requests_ = {ring().requests, ring().request};
    answers_ = {ring().answers, ring().answer};
    const Capability narrowed = TRY(attenuate(ring_memory_.capability(), only_rights(Right::read | Right::write)));
    TRY(post(kLendingPost, TRY(attenuate(narrowed, only_presenter(lender_)))));
    TRY(bell_.notify(kLendingAsks));
    while (read_once(ring().state) == static_cast<u64>(LendingState::asking)) {
        const u64 now = ticks();
        if ((deadline != 0 && now >= deadline) || !is_alive(lender_)) return Error::asleep;
        static_cast<void>(call<Wait>({{}, 0, now + information().quantum / 4, 0}));
    }
    take_down(kLendingPost);
    seed_ = read_once(ring().seed);
    open_ = true;
    return Done{};
}

Outcome Borrower::close() {
    open_ = false;
    TRY(supply_.close_loans());
    TRY(loan_memory_.close());
    TRY(capability_memory_.close());
    return ring_memory_.close();
}

void Borrower::stop(const char* why) {
    if (!open_) return;
    open_ = false;
    print("nothing more is shared with other monitors: ", why, "\n");
}

void Borrower::report() const {
    const u64 frames = ring_memory_.count() + capability_memory_.count() + loan_memory_.count() + 1;
    static_cast<void>(record("what", "borrower", "told", counts_.told, "shown", counts_.shown, "lent", counts_.lent, "unequal", counts_.unequal,
                             "recalled", counts_.recalled, "frames", frames));
}

// ---- Requests ---------------------------------------------------------------------------------------------------

/// `reserve`: for how many requests there must be room besides. False: there is not.
bool Borrower::put(LendingRequest request, u64 reserve) {
    const auto room = requests_.room();
    if (!room.ok()) return stop("the lender's ring counts what cannot be"), false;
    if (room.value() <= reserve) return false;
    requests_.put(request);
    return true;
}

void Borrower::tell(u64 hash) {
    constexpr u64 kForOthers = 64;
    if (open_) counts_.told += put({LendingRequest::has, 0, hash}, kForOthers);
}

// Its place with us stays taken until the lender knows: what comes to stand there has another number.
void Borrower::give_back(SuppliedFrame frame) {
    u64& id = loan(frame.run);
    recalled_ -= (id & kRecalled) != 0;
    if (open_ && !put({LendingRequest::returns, 0, id & kIdBits}, 0)) {
        id = (id & kIdBits) | kReturning;
        ++returning_;
        return;
    }
    id = 0;
    supply_.disown(frame);
}

void Borrower::send_returns() {
    for (u64 place = 0; place < loans_.size() && returning_ != 0; ++place) {
        u64& id = loans_[place];
        if (!(id & kReturning)) continue;
        if (open_ && !put({LendingRequest::returns, 0, id & kIdBits}, 0)) return;
        id = 0;
        --returning_;
        supply_.disown({{}, FrameSupply::kMostRuns + place});
    }
}

// ---- Answers ----------------------------------------------------------------------------------------------------

u64 Borrower::tend(u64 now) {
    const u64 next = now + information().tsc_hz / 500;
    if (!is_alive(lender_)) stop("the lender has ended");
    if (open_ && read_once(ring().state) != static_cast<u64>(LendingState::open)) stop("the lender does not want to");
    send_returns();
    LendingAnswer answer;
    for (u64 i = 0; i < kLendingAnswers && open_; ++i) {
        const auto got = answers_.get(answer);
        if (!got.ok()) stop("the lender's ring counts what cannot be");
        if (!got.ok() || !got.value()) break;
        on_answer(answer);
    }
    if (recalled_ != 0 && now >= leave_at_) leave_recalled(now);
    std::atomic_ref listening(ring().listening);
    // Order: the requests are there before we look whether somebody has to be told of them.
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (open_ && listening.load(std::memory_order_relaxed) != 0) {
        listening.store(0, std::memory_order_relaxed);
        static_cast<void>(bell_.notify(1));
    }
    return open_ ? next : kNever;
}

void Borrower::on_answer(const LendingAnswer& answer) {
    switch (answer.kind) {
    case LendingAnswer::show: return show(answer.word);
    case LendingAnswer::lends:
    case LendingAnswer::refuses: {
        if (answer.place >= kShownPages || !shown_[answer.place].under_way) return stop("the lender answers what it was not asked");
        shown_[answer.place].under_way = false;
        if (answer.kind == LendingAnswer::lends) on_lends(shown_[answer.place], LoanId{answer.word}, answer.capability);
        return;
    }
    case LendingAnswer::recalls: return on_recall(LoanId{answer.word});
    default: return stop("the lender says what there is not");
    }
}

// The page may have been written since it was noted: what is shown is what has the hash.
void Borrower::show(u64 hash) {
    const auto free = std::ranges::find(shown_, false, &Shown::under_way);
    const auto page = sharing_->page_with(hash);
    if (free == shown_.end() || !page) return;
    const u64* const bytes = sharing_->bytes_of(*page);
    if (bytes == nullptr) return;
    const auto place = static_cast<u32>(free - shown_.begin());
    std::memcpy(ring().shown[place], bytes, kPageSize);
    if (hash_of(reinterpret_cast<const u64*>(ring().shown[place]), seed_) != hash) return;
    if (!put({LendingRequest::shows, place, hash}, 0)) return;
    ++counts_.shown;
    *free = {true, *page, hash};
}

// Guests may run what stands on it, so it has to be good for that, too; and one page's worth, of the machine's memory.
void Borrower::on_lends(Shown shown, LoanId id, const Capability& capability) {
    Rights left{};
    if (capability.kind == ResourceKind::frames && capability.count == 1 && capability.first < information().frames)
        if (const auto rights = call<CapabilityCheck>({address(capability)}); rights.ok()) left = Rights{static_cast<u32>(rights.value())};
    if (!left.has(Right::read | Right::execute) || id.bits == 0 || (id.bits & ~kIdBits) != 0) return stop("the lender lends what is none of its");
    const auto frame = supply_.adopt(capability);
    if (!frame.ok()) return static_cast<void>(put({LendingRequest::returns, 0, id.bits}, 0));
    loan(frame.value().run) = id.bits;
    if (sharing_->take_loan(shown.page, shown.hash, frame.value())) {
        ++counts_.lent;
    } else {
        ++counts_.unequal;
        give_back(frame.value());
    }
}

void Borrower::on_recall(LoanId id) {
    // One that was recalled before, or is about to be returned, has other bits beside it here.
    if (id.bits == 0 || (id.bits & ~kIdBits) != 0) return;
    const auto found = std::ranges::find(loans_, id.bits);
    if (found == loans_.end()) return;
    *found |= kRecalled;
    leave_at_ = 0;
    ++recalled_;
    ++counts_.recalled;
}

// Where there is no memory for copies, the next try is some time later: it looks at all maps.
void Borrower::leave_recalled(u64 now) {
    leave_at_ = now + information().tsc_hz / 20;
    sharing_->leave([this](SuppliedFrame frame) { return (loan(frame.run) & kRecalled) != 0; });
}

}  // namespace tessera::vmm
