// A lender that fails its monitors, in one of the ways that there are; what they must survive.
//
//   for=NAME,NAME keeper=NAME   as page_lender
//   how=WORD
//     dies      when all share: it ends in the middle, and its frames are the keeper's
//     robs      when all share: it takes back what it has lent without asking
//     lies      it lends frames with other contents than it was shown
//     forges    it lends what is not its own: capabilities of its own making
//     babbles   it answers whatever comes to its mind
#include "libos/core/libos.hpp"
#include "libos/transfer/board.hpp"
#include "libos/vmm/lending/lender_program.hpp"
#include "tests/system/dice.hpp"

using namespace tessera;
using namespace tessera::libos;
using namespace tessera::vmm;

namespace {

bool is_how(std::string_view word) { return argument("how") == word; }

class BadFrames final : public LoanFrames {
  public:
    bool fill(u64 place, const std::byte* shown) override {
        static std::byte other[kPageSize];
        std::memcpy(other, shown, kPageSize);
        other[place % kPageSize] ^= is_how("lies") ? std::byte{1} : std::byte{0};
        return LoanFrames::fill(place, other);
    }
    // Whatever was lent in place of it is said to be equal.
    bool is_equal(u64 place, const std::byte* shown) override { return is_how("lies") || LoanFrames::is_equal(place, shown); }
    Capability lend(u64 place, EnvId to) override {
        Capability lent = LoanFrames::lend(place, to);
        if (!is_how("forges")) return lent;
        lent.first += place % 3;
        lent.tag[place % 2] ^= u64{1} << place % 64;
        return lent;
    }
};

bool all_share() {
    ListItem item{};
    bool all = true;
    for (std::string_view list = argument("for"); take_item(list, item);) all = all && find_post(find_environment(item.name), "shares").ok();
    return all;
}

/// Answers that nobody asked for, some of which look as if somebody had.
void babble(LendingRing& ring, Dice& random) {
    LendingAnswer answer{};
    answer.kind = static_cast<u32>(random.below(6));
    answer.place = static_cast<u32>(random.below(kShownPages + 2));
    answer.word = random.one_in(2) ? random.below(2048) : random.next();
    answer.capability.kind = static_cast<ResourceKind>(random.below(kResourceKinds));
    answer.capability.first = random.next() >> random.below(64);
    answer.capability.count = random.below(3);
    const u64 produced = read_once(ring.answers.produced);
    ring.answer[produced % kLendingAnswers] = answer;
    publish(ring.answers.produced, produced + (random.one_in(50) ? random.below(1000) : 1));
}

}  // namespace

int libos_main() {
    static BadFrames frames;
    static LenderProgram program(frames);
    if (!program.open(argument("keeper"), argument("loans", 1024), argument("for")).ok()) return 1;
    Dice random(argument("seed", 1));
    while (program.serve()) {
        if (is_how("dies") && all_share()) return 0;
        if (is_how("robs") && all_share()) program.desk().recall(~u64{0}), program.desk().drop_recalled();
        for (u64 seat = 0; is_how("babbles") && seat < LendingDesk::kSeats; ++seat)
            if (program.desk().is_seated(seat)) babble(program.desk().ring(seat), random);
    }
    program.tell();
    return 0;
}
