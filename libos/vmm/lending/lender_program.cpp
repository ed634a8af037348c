#include "libos/vmm/lending/lender_program.hpp"

#include <algorithm>
#include <bit>

#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/transfer/board.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

namespace {

/// Nobody calls it, as the lender never waits for a call: it is there to be notified.
void nobody_calls() {}

constexpr u64 pages_for(u64 bytes) { return (bytes + kPageSize - 1) / kPageSize; }

template <class T>
Result<std::span<T>> take(RunWindow& window, u64 count) {
    TRY(window.take(pages_for(count * sizeof(T))));
    return std::span<T>(reinterpret_cast<T*>(window.memory()), count);
}

}  // namespace

Outcome LenderProgram::open(std::string_view keeper, u64 loans, std::string_view customers) {
    // Order: the first window says that faults are windows' alone.
    const auto places = TRY(take<LendingDesk::Loan>(loan_memory_, loans));
    use_shared_memory(bind_in_windows);
    const auto heads = TRY(take<u32>(head_memory_, std::bit_ceil(loans)));
    const auto announced = TRY(take<u64>(announced_memory_, std::bit_ceil(4 * loans)));
    TRY(frames_.open(keeper, loans));
    ListItem item{};
    for (u64 i = 0; i < kMostCustomers && take_item(customers, item); ++i) customers_[i] = find_environment(item.name);
    seed_ = ticks() | 1;
    desk_.emplace(frames_, places, heads, announced, ticks());
    Capability bell;
    TRY(call<EntryPublish>({0, VirtAddr{reinterpret_cast<u64>(nobody_calls)}, 0, address(bell)}));
    return post(kLendingBell, bell);
}

void LenderProgram::accept_all() {
    for (u64 i = 0; i < kMostCustomers; ++i) {
        if (!customers_[i] || !is_alive(customers_[i])) continue;
        const auto posted = find_post(customers_[i], kLendingPost);
        if (!posted.ok() || posted.value().tag[0] == seen_[i]) continue;
        seen_[i] = posted.value().tag[0];
        accept(customers_[i], posted.value());
    }
}

// One seat for each customer, so there is always one; who asks again has given the other one up.
void LenderProgram::accept(EnvId who, const Capability& posted) {
    for (u64 seat = 0; seat < LendingDesk::kSeats; ++seat) {
        if (!desk_->is_seated(seat) || desk_->who(seat) != who) continue;
        desk_->unseat(seat);
        rings_[seat].detach();
    }
    for (u64 seat = 0; seat < LendingDesk::kSeats; ++seat) {
        if (desk_->is_seated(seat)) continue;
        const Outcome attached = rings_[seat].attach(posted, kLendingPages, Right::read | Right::write);
        if (!attached.ok()) return print("no seat for ", environment_info(who).name, ": its ring: ", name_of(attached.error()), "\n");
        static_cast<void>(desk_->seat(who, rings_[seat].at<LendingRing>(0), seed_));
        return;
    }
}

void LenderProgram::look_after(u64 seat) {
    if (!desk_->is_seated(seat)) return;
    const bool is_there = is_alive(desk_->who(seat)) && !rings_[seat].lost();
    const char* const reason = desk_->reason(seat);
    if (is_there && reason == nullptr) return;
    if (is_there)
        print("nothing more is lent to ", environment_info(desk_->who(seat)).name, ": ", reason, "\n");
    desk_->unseat(seat);
    rings_[seat].detach();
}

void LenderProgram::listen(bool listening) {
    for (u64 seat = 0; seat < LendingDesk::kSeats; ++seat)
        if (desk_->is_seated(seat)) std::atomic_ref(desk_->ring(seat).listening).store(listening, std::memory_order_seq_cst);
}

// What the keeper owes is ours to free: it has not even heard of it.
void LenderProgram::answer_revocation() {
    const EnvId keeper = frames_.source().keeper();
    const auto* const requests = reinterpret_cast<const RevocationRequest*>(kInformation + kRequestTableOffset) + keeper.index() * kRequests;
    u64 owed = 0;
    bool late = false;
    for (const RevocationRequest& each : std::span(requests, kRequests)) {
        const bool open = each.state == RequestState::asked || each.state == RequestState::told;
        if (!open || each.target != keeper.value || each.kind != RevocationKind::frames) continue;
        const u64 done = each.returned + each.taken;
        owed += each.count - std::min(done, each.count);
        late = late || ticks() - each.asked_at > (each.wall_deadline - each.asked_at) / 2;
    }
    if (owed == 0) return frames_.source().go_on();
    frames_.source().hold_back();
    if (owed > desk_->recalled()) recalled_ += desk_->recall(owed - desk_->recalled());
    if (late) desk_->drop_recalled();
}

bool LenderProgram::is_needed() const {
    return std::ranges::any_of(customers_, [](EnvId each) { return each && is_alive(each); });
}

void LenderProgram::tell() const {
    const LendingCounts& counts = desk_->counts();
    static_cast<void>(record("what", "lender", "most_loans", most_loans_, "most_uses", most_uses_, "told", counts.told, "asked", counts.asked,
                             "shown", counts.shown, "filled", counts.filled, "lent", counts.lent, "refused", counts.refused, "compared",
                             counts.compared, "different", counts.different, "returned", counts.returned, "recalled", recalled_, "left",
                             desk_->loans(), "held", accounts().frames));
}

bool LenderProgram::serve() {
    if (!is_needed()) return false;
    accept_all();
    const bool worked = desk_->sweep();
    for (u64 seat = 0; seat < LendingDesk::kSeats; ++seat) look_after(seat);
    answer_revocation();
    most_loans_ = std::max(most_loans_, desk_->loans());
    most_uses_ = std::max(most_uses_, desk_->uses());
    if (worked) return true;
    // Who has ended rings no bell.
    const u64 look_again = information().tsc_hz / 10;
    // Order: whoever asks behind this look finds that we listen.
    listen(true);
    if (!desk_->has_work()) static_cast<void>(call<Wait>({{}, 0, ticks() + look_again, ~u64{0}}));
    listen(false);
    for (u64 seat = 0; seat < LendingDesk::kSeats; ++seat) look_after(seat);
    return true;
}

}  // namespace tessera::vmm
