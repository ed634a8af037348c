// Numbers that look random and are the same on every machine: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
#pragma once

#include "guests/small/types.hpp"

namespace differ {

class Random {
  public:
    constexpr explicit Random(small::u64 seed) : state_(seed) {}
    constexpr small::u64 word() {
        small::u64 value = state_ += 0x9e37'79b9'7f4a'7c15;
        value = (value ^ value >> 30) * 0xbf58'476d'1ce4'e5b9;
        value = (value ^ value >> 27) * 0x94d0'49bb'1331'11eb;
        return value ^ value >> 31;
    }
    /// Less than `bound`.
    constexpr small::u64 below(small::u64 bound) { return word() % bound; }
    template <class T, small::u64 n>
    constexpr T one_of(const T (&list)[n]) {
        return list[below(n)];
    }

  private:
    small::u64 state_;
};

}  // namespace differ
