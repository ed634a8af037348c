// What ways to misbehave have in common: numbers that come out the same for the same `seed=`, and being chosen by a word of the
// command line. `rounds=` says for how long.
#pragma once

#include "guests/small/machine.hpp"
#include "guests/small/print.hpp"
#include "guests/small/words.hpp"

namespace small {

/// xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016).
struct Random {
    u64 state;
    u64 next() {
        state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
        return state * 0x2545'f491'4f6c'dd1d;
    }
    u64 below(u64 bound) { return next() % bound; }
};

struct Way {
    const char* name;
    void (*go)(Random&, u64 rounds);
};

/// The first way that the command line names; the machine is switched off behind it. Returns if it names none.
template <u64 N>
void try_ways(const Way (&ways)[N], const char* command_line) {
    const char* rest = command_line;
    for (Word word; next_word(rest, word);) {
        for (const Way& way : ways) {
            if (!word.is(way.name)) continue;
            Word value{};
            // Spread out, and not zero: the generator would stay there.
            Random random{((find_option(command_line, "seed", value) ? number_of(value, 1) : 1) << 1 | 1) * 0x9e37'79b9'7f4a'7c15};
            const u64 rounds = find_option(command_line, "rounds", value) ? number_of(value, 1) : 1000;
            print("small: misbehaves: ", way.name, "\n");
            way.go(random, rounds);
            print("small: misbehaved, and is still here\n");
            machine::power_off(true);
        }
    }
}

}  // namespace small
