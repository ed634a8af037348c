#include "libos/vmm/lending/lending_desk.hpp"

#include <bit>

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

constexpr u16 bit_of(u64 seat) { return static_cast<u16>(1 << seat); }
constexpr bool is_one(u16 users) { return std::has_single_bit(users); }

}  // namespace

LendingDesk::LendingDesk(LendingHost& host, std::span<Loan> loans, std::span<u32> heads, std::span<u64> announced, u64 secret)
    : host_(host), loans_(loans), heads_(heads), announced_(announced), secret_(secret) {}

Result<u64> LendingDesk::seat(EnvId who, LendingRing& ring, u64 seed) {
    for (u64 i = 0; i < kSeats; ++i) {
        Seat& each = seats_[i];
        if (each.ring != nullptr) continue;
        each = {who, &ring, {ring.requests, ring.request}, {ring.answers, ring.answer}, 0, nullptr};
        ring.seed = seed;
        ring.seat = i;
        publish(ring.state, static_cast<u64>(LendingState::open));
        return i;
    }
    return Error::exhausted;
}

void LendingDesk::unseat(u64 seat) {
    for (u64 place = 0; place < untouched_; ++place)
        if (loans_[place].users & bit_of(seat)) set_users(place, static_cast<u16>(loans_[place].users & ~bit_of(seat)));
    seats_[seat].ring = nullptr;
}

void LendingDesk::cut_off(Seat& seat, const char* reason) {
    if (seat.reason != nullptr) return;
    seat.reason = reason;
    publish(seat.ring->state, static_cast<u64>(LendingState::cut_off));
}

bool LendingDesk::has_work() {
    for (Seat& each : seats_)
        if (each.ring != nullptr && each.reason == nullptr && each.requests.has_any()) return true;
    return false;
}

bool LendingDesk::sweep() {
    bool worked = false;
    for (u64 seat = 0; seat < kSeats; ++seat)
        if (seats_[seat].ring != nullptr && seats_[seat].reason == nullptr) worked = serve(seat) || worked;
    return worked;
}

bool LendingDesk::serve(u64 seat) {
    Seat& each = seats_[seat];
    const u64 shown = counts_.shown;
    u64 done = 0;
    LendingRequest request;
    while (done < kTurn && counts_.shown - shown < kShowsInTurn && each.reason == nullptr) {
        const auto got = each.requests.get(request);
        if (!got.ok()) return cut_off(each, "its ring counts what cannot be"), true;
        if (!got.value()) break;
        ++done;
        on_request(seat, request);
    }
    return done != 0;
}

void LendingDesk::on_request(u64 seat, const LendingRequest& request) {
    switch (request.kind) {
    case LendingRequest::has: return on_has(seat, request.word);
    case LendingRequest::shows:
        if (request.place >= kShownPages) return cut_off(seats_[seat], "it shows a page that there is not");
        return on_shows(seat, request.place, request.word);
    case LendingRequest::returns: {
        // One that was taken back by force may be returned later: it is another one then.
        const LoanId id{request.word};
        if (id.place() >= loans_.size()) return cut_off(seats_[seat], "it returns a loan that there is not");
        const Loan& loan = loans_[id.place()];
        if (loan.generation != id.generation() || !(loan.users & bit_of(seat))) return;
        ++counts_.returned;
        return set_users(id.place(), static_cast<u16>(loan.users & ~bit_of(seat)));
    }
    default: return cut_off(seats_[seat], "it asks for what there is not");
    }
}

/// `reserve`: how many answers there must be room for besides. False: there is not.
bool LendingDesk::tell(u64 seat, const LendingAnswer& answer, u64 reserve) {
    const auto room = seats_[seat].answers.room();
    if (!room.ok()) return cut_off(seats_[seat], "its ring counts what cannot be"), false;
    if (room.value() <= reserve) return false;
    seats_[seat].answers.put(answer);
    return true;
}

bool LendingDesk::is_known_of_others(u64 hash, u64 seat) {
    u64 who = announced_.find_or_note(hash, seat);
    if (!is_seated(who)) {
        announced_.forget(hash);
        who = announced_.find_or_note(hash, seat);
    }
    return who != seat;
}

// Who asks has it; somebody else must, too, or there is nothing to gain.
void LendingDesk::on_has(u64 seat, u64 hash) {
    ++counts_.told;
    bool wanted = false;
    for (u32 link = head_of(hash); link != 0 && !wanted; link = loans_[link - 1].next) {
        const Loan& loan = loans_[link - 1];
        wanted = loan.hash == hash && !loan.recalled && !(loan.users & bit_of(seat));
    }
    if (!wanted && !is_known_of_others(hash, seat)) return;
    counts_.asked += tell(seat, {LendingAnswer::show, 0, hash, {}}, kShownPages);
}

bool LendingDesk::lend(u64 seat, u64 place, u64 shown) {
    const LoanId id = LoanId::make(place, loans_[place].generation);
    if (!tell(seat, {LendingAnswer::lends, static_cast<u32>(shown), id.bits, host_.lend(place, seats_[seat].who)}, 0)) {
        cut_off(seats_[seat], "it shows more than it takes answers for");
        return false;
    }
    ++counts_.lent;
    set_users(place, loans_[place].users | bit_of(seat));
    return true;
}

void LendingDesk::on_shows(u64 seat, u64 shown, u64 hash) {
    ++counts_.shown;
    const std::byte* const bytes = seats_[seat].ring->shown[shown];
    const LendingAnswer refusal{LendingAnswer::refuses, static_cast<u32>(shown), 0, {}};
    const auto refuse = [&] {
        ++counts_.refused;
        if (!tell(seat, refusal, 0)) cut_off(seats_[seat], "it shows more than it takes answers for");
    };
    u64 equal_hashes = 0;
    for (u32 link = head_of(hash); link != 0; link = loans_[link - 1].next) {
        const Loan& loan = loans_[link - 1];
        if (loan.hash != hash) continue;
        if (++equal_hashes == kMostEqualHashes || loan.recalled || (loan.users & bit_of(seat))) return refuse();
        ++counts_.compared;
        if (host_.is_equal(link - 1, bytes)) return static_cast<void>(lend(seat, link - 1, shown));
        ++counts_.different;
    }
    // A monitor that shows much that nobody else has leaves the others their part.
    if (seats_[seat].alone >= loans_.size() / 2) return refuse();
    const u32 link = make(hash);
    if (link == 0) return refuse();
    if (!host_.fill(link - 1, bytes)) return free(link - 1), refuse();
    announced_.forget(hash);
    ++counts_.filled;
    if (!lend(seat, link - 1, shown)) host_.drop(link - 1), free(link - 1);
}

// ---- Loans ------------------------------------------------------------------------------------------------------

/// 1 + its place; 0: there is no room.
u32 LendingDesk::make(u64 hash) {
    u32 link = free_;
    if (link != 0)
        free_ = loans_[link - 1].next;
    else if (untouched_ < loans_.size())
        link = static_cast<u32>(++untouched_);
    else
        return 0;
    u32& head = head_of(hash);
    Loan& loan = loans_[link - 1];
    loan = {hash, loan.generation, head, 0, false};
    head = link;
    ++used_;
    return link;
}

void LendingDesk::free(u64 place) {
    Loan& loan = loans_[place];
    u32* link = &head_of(loan.hash);
    while (*link != place + 1) link = &loans_[*link - 1].next;
    *link = loan.next;
    recalled_ -= loan.recalled;
    loan = {0, (loan.generation + 1) % LoanId::kGenerations, free_, 0, false};
    free_ = static_cast<u32>(place) + 1;
    --used_;
}

// Invariant: a seat's `alone` counts the loans whose only user it is; a loan without users is gone.
void LendingDesk::set_users(u64 place, u16 users) {
    Loan& loan = loans_[place];
    if (is_one(loan.users)) --seats_[static_cast<u64>(std::countr_zero(loan.users))].alone;
    if (is_one(users)) ++seats_[static_cast<u64>(std::countr_zero(users))].alone;
    uses_ += static_cast<u64>(std::popcount(users)) - static_cast<u64>(std::popcount(loan.users));
    loan.users = users;
    if (users != 0) return;
    host_.drop(place);
    free(place);
}

u64 LendingDesk::recall(u64 count) {
    u64 done = 0;
    for (int users = 1; users <= static_cast<int>(kSeats); ++users)
        for (u64 place = 0; place < untouched_ && done < count; ++place) {
            Loan& loan = loans_[place];
            if (loan.recalled || std::popcount(loan.users) != users) continue;
            bool told = true;
            for (u64 seat = 0; seat < kSeats; ++seat)
                if (loan.users & bit_of(seat))
                    told = tell(seat, {LendingAnswer::recalls, 0, LoanId::make(place, loan.generation).bits, {}}, kShownPages) && told;
            if (!told) continue;
            loan.recalled = true;
            ++recalled_;
            ++done;
        }
    return done;
}

void LendingDesk::drop_recalled() {
    for (u64 place = 0; place < untouched_; ++place)
        if (loans_[place].recalled) set_users(place, 0);
}

}  // namespace tessera::vmm
