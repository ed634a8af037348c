// A plain libOS that computes beside others and measures whether it gets what it owns: its slots' share of the time, and as
// much work done in a tick of its own as when it is alone. What the others do meanwhile is their business.
//
//   rounds=N    how many rounds it goes on alone, when nobody else runs any more
//   first=NAME  who ends before the others: what is measured is told apart by whether that has happened
#include <algorithm>

#include "libos/core/libos.hpp"
#include "libos/transfer/board.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

constexpr u64 kWords = 4096;
u64 words[kWords];

/// A round of work: always the same, and so is what it comes to.
u64 work() {
    u64 sum = 0;
    for (u64 turn = 0; turn < 8; ++turn)
        for (u64 i = 0; i < kWords; ++i) {
            words[i] = (words[i] ^ (turn + i)) * 0x9e37'79b9'7f4a'7c15;
            sum = (sum << 7 | sum >> 57) + words[i];
        }
    for (u64& word : words) word = 0;
    return sum;
}

/// Slots that have an owner: all of them, and our own.
struct Slots {
    u64 all = 0, own = 0, run_by_others = 0;
};
Slots count_slots() {
    Slots slots;
    const u64 first = boot().cpu * kSlotsPerCpu;
    for (u64 i = first; i < first + kSlotsPerCpu; ++i) {
        const SlotInfo& slot = slot_info(SlotNumber{i});
        slots.all += slot.owner != 0;
        slots.own += slot.owner == boot().self.value;
        slots.run_by_others += slot.runs != 0 && slot.runs != boot().self.value;
    }
    return slots;
}

/// What the others were doing while a few rounds were worked.
enum class Others : u64 { idle, busy, ended_one, busy_behind_it, count };
constexpr const char* kOthers[] = {"idle", "busy", "one_ended", "busy_behind_it"};

/// The same work, told apart by what the others did, in short stretches.
class Stretches {
  public:
    static constexpr u64 kRounds = 256;

    Stretches(std::string_view first, u64 promised)
        : first_(first.empty() ? EnvId{} : find_environment(first)), promised_(promised) {
        begin();
    }

    /// `promised`: what the slots promise from now on, in thousandths of the time.
    void on_round(u64 promised) {
        if (++rounds_ < kRounds) return;
        const u64 elapsed = ticks() - began_, own = accounts().ticks - own_, others = ticks_of_others() - others_;
        // Accounts are brought up to date at the ends of slices: both sides of the comparison are blurred by one.
        const bool alive = is_alive(first_) || !first_;
        const Others what = alive != was_alive_ ? Others::ended_one : others * 10 < elapsed ? Others::idle : alive ? Others::busy : Others::busy_behind_it;
        Kind& kind = kinds_[static_cast<u64>(what)];
        kind.rounds += rounds_;
        kind.own += own;
        kind.elapsed += elapsed;
        kind.promised += promised_ * elapsed;
        begin();
        promised_ = promised;
    }
    bool tell() const {
        bool told = true;
        for (u64 i = 0; i < static_cast<u64>(Others::count); ++i) {
            const Kind& kind = kinds_[i];
            if (kind.rounds == 0) continue;
            told = record("others", kOthers[i], "rounds", kind.rounds, "ticks_a_round", kind.own / kind.rounds, "share_thousandths",
                          kind.own * 1000 / kind.elapsed, "promised_thousandths",
                          kind.promised / kind.elapsed).ok() && told;
        }
        return told;
    }

  private:
    struct Kind {
        u64 rounds, own, elapsed, promised;
    };
    static u64 ticks_of_others() {
        u64 sum = 0;
        for (u64 i = 1; i < kMaxEnvironments; ++i) {
            const volatile EnvironmentInfo& info = environment_info(EnvId{i});
            if (info.id != 0 && info.id != boot().self.value) sum += info.ticks;
        }
        return sum;
    }
    void begin() {
        rounds_ = 0;
        began_ = ticks();
        own_ = accounts().ticks;
        others_ = ticks_of_others();
        was_alive_ = is_alive(first_) || !first_;
    }

    EnvId first_;
    u64 promised_;  ///< At the beginning of the stretch.
    bool was_alive_ = true;
    u64 rounds_, began_, own_, others_;
    Kind kinds_[static_cast<u64>(Others::count)]{};
};

/// Rounds of work, from the beginning of a slice to that of another: there the kernel has just brought the accounts up to date.
class Phase {
  public:
    explicit Phase(u64 right) : right_(right) {
        to_next_slice();
        began_ = ticks();
        own_began_ = accounts().ticks;
        rounds_ = 0;
    }

    void one_round() {
        wrong_ += work() != right_;
        ++rounds_;
    }
    void end() {
        to_next_slice();
        own_ = accounts().ticks - own_began_;
        all_ = ticks() - began_;
    }

    u64 rounds() const { return rounds_; }
    u64 wrong() const { return wrong_; }
    /// Own ticks a round.
    u64 cost() const { return own_ / rounds_; }
    /// Own ticks of all, in thousandths.
    u64 share() const { return own_ * 1000 / all_; }

  private:
    void to_next_slice() {
        const volatile u64& slices = accounts().slices;
        for (const u64 before = slices; slices == before;) one_round();
    }

    u64 right_, rounds_ = 0, wrong_ = 0;
    u64 began_, own_began_, own_ = 0, all_ = 0;
};

}  // namespace

int libos_main() {
    const u64 right = work();
    const Slots at_first = count_slots();
    const u64 frames = accounts().frames;
    const u64 promised = at_first.own * 1000 / at_first.all;

    Phase beside(right);
    Stretches stretches(argument("first"), promised);
    for (Slots now = at_first; now.run_by_others != 0; now = count_slots()) {
        beside.one_round();
        stretches.on_round(now.own * 1000 / now.all);
    }
    beside.end();

    Phase alone(right);
    for (const u64 rounds = argument("rounds", 1000); alone.rounds() < rounds;) alone.one_round();
    alone.end();

    print("beside others: ", beside.rounds(), " rounds, ", beside.cost(), " of my ticks each; ", beside.share(),
          " thousandths of the time, ", promised, " promised\n");
    print("alone: ", alone.rounds(), " rounds, ", alone.cost(), " of my ticks each\n");
    const u64 wrong = beside.wrong() + alone.wrong();
    const bool kept = accounts().frames == frames && count_slots().own == at_first.own;
    // The last slice before the others have gone may be the others' in part: a twentieth is allowed for.
    const bool served = beside.share() + promised / 20 >= promised;
    const bool right_all_along = wrong == 0 && kept && served;
    const bool told = stretches.tell() && record("rounds_beside", beside.rounds(), "ticks_a_round_beside", beside.cost(), "ticks_a_round_alone", alone.cost(),
                             "share_thousandths", beside.share(), "promised_thousandths", promised, "wrong", wrong).ok();
    print(right_all_along ? "right: undisturbed\n" : "WRONG: disturbed\n");
    return right_all_along && told ? 0 : 1;
}
