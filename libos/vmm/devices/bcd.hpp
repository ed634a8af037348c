// Numbers with a decimal digit in each four bits, as timers and clocks of old have them.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

/// Digits above 9, which only nonsense has, count for what they are.
constexpr u32 from_bcd(u32 digits) {
    return (digits >> 12 & 15) * 1000 + (digits >> 8 & 15) * 100 + (digits >> 4 & 15) * 10 + (digits & 15);
}
/// number: at most 9999.
constexpr u32 to_bcd(u32 number) {
    return number / 1000 % 10 << 12 | number / 100 % 10 << 8 | number / 10 % 10 << 4 | number % 10;
}

}  // namespace tessera::vmm
