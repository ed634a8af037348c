// Overstays every slice that it is given, and owns none that could pay for it: an accomplice gives it his, again and again.
// There is an end to that.
//
//   role=spin | feed
#include "tests/system/attack.hpp"

#include "libos/transfer/board.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

/// Longer than the grace; and back, so that the next slice's end finds a save record.
[[LIBOS_HANDLER]] void stay(SaveRecord&) {
    for (const u64 begin = ticks(); ticks() - begin < 2 * information().grace;) asm volatile("pause");
}

int spin() {
    if (!set_handler<UpcallKind::slice_end, stay>().ok()) return 2;
    for (;;) asm volatile("pause");
}

int feed() {
    const EnvId greedy = find_environment("greedy");
    if (!greedy) return 2;
    const auto owes = [&] { return environment_info(greedy).debt / information().quantum; };
    u64 given = 0, most = 0;
    for (; yield(greedy) == Error::ok; ++given)
        if (environment_info(greedy).id == greedy.value) most = std::max(most, owes());
    expect_true("it owed more and more", most >= kMostSlicesOwed - 2, most);
    expect_true("and not for ever", most <= kMostSlicesOwed && given <= 2 * kMostSlicesOwed + 8, given);
    expect("it is no more", yield(greedy), Error::not_found);
    return verdict("overstay");
}

}  // namespace

int libos_main() { return argument("role") == "spin" ? spin() : feed(); }
