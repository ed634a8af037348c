// The command line: words with a space between, some of them `name=value`.
#pragma once

#include "guests/small/types.hpp"

namespace small {

struct Word {
    const char* begin;
    u64 size;
    bool is(const char* text) const;
};

/// The first word of `rest`, which is moved past it. False at the end.
bool next_word(const char*& rest, Word& word);
/// The value of the first word `name=value`.
bool find_option(const char* line, const char* name, Word& value);
/// A decimal number, or `otherwise` if it is none.
u64 number_of(Word word, u64 otherwise);

}  // namespace small
