// A monitor that breaks every rule of a lender's, beside others that keep them: it floods, shows pages under wrong hashes and changes them
// meanwhile, returns what it does not have, tries to write what it was lent and to read what it has returned, counts what cannot be,
// and ends with loans in its hands.
//
//   lender=NAME   rounds=N   seed=N   with=NAME (it ends when that environment has posted that it shares)
#include "libos/core/libos.hpp"
#include "libos/core/pages.hpp"
#include "libos/transfer/board.hpp"
#include "libos/vmm/lending/borrower.hpp"
#include "libos/vmm/lending/lender_program.hpp"
#include "secure_bindings/capability.hpp"
#include "tests/system/dice.hpp"

using namespace tessera;
using namespace tessera::libos;
using namespace tessera::vmm;

namespace {

u64 wrong = 0;
void expect(const char* what, bool fact) {
    if (fact) return;
    ++wrong;
    print("WRONG ", what, "\n");
}

class Attacker {
  public:
    explicit Attacker(u64 seed) : random_(seed) {}
    /// Take a seat with a new ring. False: the lender has ended.
    bool sit_down();
    void act(u64 times);
    /// Break the rules until the lender says so.
    void get_cut_off();
    u64 lent() const { return lent_; }

  private:
    struct Held {
        LoanId id;
        Capability capability;
    };
    LendingRing& ring() { return *reinterpret_cast<LendingRing*>(memory_.memory()); }
    bool is_open() { return read_once(ring().state) == static_cast<u64>(LendingState::open); }
    void ask(LendingRequest request);
    void take_answers();
    void try_loan(const Capability& capability);
    void give_turn() { static_cast<void>(bell_.notify(1)), static_cast<void>(call<Yield>({bell_.callee()})); }

    Dice random_;
    RunWindow memory_;
    Gate bell_;
    LendingReader<LendingAnswer, kLendingAnswers> answers_;
    Held held_[64]{};
    PageNumber page_{};
    u64 lent_ = 0;
};

bool Attacker::sit_down() {
    if (!bell_) bell_ = Gate::open(await_post(argument("lender"), kLendingBell).value()).value();
    if (page_.value == 0) page_ = reserve_pages(1);
    if (memory_.count() != 0) expect("a ring goes", memory_.close().ok());
    expect("a ring", memory_.take(kLendingPages).ok());
    const auto narrowed = attenuate(memory_.capability(), only_presenter(bell_.callee()));
    expect("posted", narrowed.ok() && post(kLendingPost, narrowed.value()).ok());
    answers_ = {ring().answers, ring().answer};
    while (is_alive(bell_.callee())) {
        static_cast<void>(bell_.notify(kLendingAsks));
        static_cast<void>(call<Wait>({{}, 0, ticks() + information().quantum / 4, 0}));
        if (is_open()) return true;
    }
    return false;
}

void Attacker::ask(LendingRequest request) {
    const u64 produced = read_once(ring().requests.produced);
    if (produced - read_once(ring().requests.consumed) == kLendingRequests) return give_turn();
    ring().request[produced % kLendingRequests] = request;
    publish(ring().requests.produced, produced + 1);
}

// To be read by us alone, and written by nobody.
void Attacker::try_loan(const Capability& capability) {
    const FrameNumber frame{capability.first};
    const auto writable = call<Bind>({address(capability), frame, PageSpan::make(page_, 1, Right::read | Right::write), {}, {}});
    expect("a loan is not written", !writable.ok() && writable.error() == Error::denied);
    expect("nor given back to the kernel", !call<FrameRelease>({address(capability), frame, 1}).ok());
    const auto readable = call<Bind>({address(capability), frame, PageSpan::make(page_, 1, Right::read), {}, {}});
    expect("a loan is read", readable.ok() || readable.error() == Error::stale_capability);
    static_cast<void>(call<Unbind>({PageSpan::make(page_, 1), {}}));
}

void Attacker::take_answers() {
    LendingAnswer answer;
    for (auto got = answers_.get(answer); got.ok() && got.value(); got = answers_.get(answer)) {
        if (answer.kind != LendingAnswer::lends) continue;
        ++lent_;
        if (lent_ % 16 == 1) try_loan(answer.capability);
        Held& held = held_[random_.below(64)];
        if (held.id.bits != 0) ask({LendingRequest::returns, 0, held.id.bits});
        held = {LoanId{answer.word}, answer.capability};
    }
}

void Attacker::act(u64 times) {
    for (u64 i = 0; i < times && is_open(); ++i) {
        const auto place = static_cast<u32>(random_.below(kShownPages));
        switch (random_.below(6)) {
        case 0:
        case 1: ask({LendingRequest::has, 0, random_.one_in(2) ? random_.below(64) : random_.next()}); break;
        case 2:  // a few contents, under hashes that are not theirs, and changing
            for (u64 at = 0; at < kPageSize; at += 512) ring().shown[place][at] = static_cast<std::byte>(random_.below(3));
            ask({LendingRequest::shows, place, random_.below(64)});
            break;
        case 3:  // much that nobody else has
            std::memset(ring().shown[place], static_cast<int>(random_.next()), kPageSize);
            ask({LendingRequest::shows, place, random_.next()});
            break;
        case 4: ask({LendingRequest::returns, 0, LoanId::make(random_.below(1024), random_.below(3)).bits}); break;
        default: {
            Held& held = held_[random_.below(64)];
            if (held.id.bits != 0) ask({LendingRequest::returns, 0, held.id.bits});
            held = {};
        }
        }
        if (i % 8 == 7) give_turn(), take_answers();
    }
}

void Attacker::get_cut_off() {
    switch (random_.below(5)) {
    case 0: publish(ring().requests.produced, random_.next()); break;
    case 1: publish(ring().answers.consumed, random_.next()); break;
    case 2: ask({LendingRequest::shows, static_cast<u32>(kShownPages + random_.below(1000)), 1}); break;
    case 3: ask({LendingRequest::returns, 0, random_.next() << 32 | 0xffff'0000}); break;
    default: ask({static_cast<u32>(4 + random_.below(1000)), 0, 1}); break;
    }
    // Answers are not taken any more: one more reason, whatever the first was.
    for (u64 i = 0; is_open() && is_alive(bell_.callee()); ++i) {
        ask({LendingRequest::shows, static_cast<u32>(i % kShownPages), i});
        give_turn();
    }
}

}  // namespace

int libos_main() {
    static Attacker attacker(argument("seed", 1));
    u64 rounds = 0;
    const EnvId with = find_environment(argument("with"));
    const auto others_work = [&] { return is_alive(with) && !find_post(with, "shares").ok(); };
    while ((rounds < argument("rounds", 20) || others_work()) && attacker.sit_down()) {
        attacker.act(200);
        if (++rounds % 4 != 0) attacker.get_cut_off();
    }
    attacker.act(500);
    print(wrong == 0 ? "right: " : "WRONG: ", rounds, " rounds, ", attacker.lent(), " loans\n");
    static_cast<void>(record("rounds", rounds, "lent", attacker.lent()));
    return wrong == 0 ? 0 : 1;
}
