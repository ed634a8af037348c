// Nothing but user-mode work, which no monitor has a part in: primes below a bound, `compute bound=N`.

#include "guests/small/user/user.hpp"

namespace small {
namespace {

constexpr u64 kMost = 4'000'000;
u8 composite[kMost];

u64 primes_below(u64 bound) {
    u64 count = 0;
    for (u64 i = 2; i < bound; ++i) {
        if (composite[i]) continue;
        ++count;
        for (u64 j = i * i; j < bound; j += i) composite[j] = 1;
    }
    return count;
}

}  // namespace

u64 program_main() {
    Word value;
    u64 bound = find_option(command_line(), "bound", value) ? number_of(value, kMost) : kMost;
    if (bound > kMost) bound = kMost;
    const u64 begin = ticks(), count = primes_below(bound), took = ticks() - begin;
    print("{\"bench\":\"compute\",\"n\":", bound, ",\"answer\":", count, ",\"ticks\":", took / bound, ",\"total\":", took, "}\n");
    return 0;
}

}  // namespace small
