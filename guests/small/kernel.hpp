// What the kernel's files know of each other's state.
#pragma once

#include "guests/small/types.hpp"

namespace small {

const char* command_line();
/// Timer ticks so far.
u64 clock();
/// Its address is what those who want a packet wait for.
inline constexpr char kPacketCame{};

}  // namespace small
