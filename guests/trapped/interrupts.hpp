// The pair of 8259 interrupt controllers: 15 lines, in edge or level mode as the firmware left them.
#pragma once

#include "guests/small/types.hpp"

namespace small::trapped {

inline constexpr u8 kFirstVector = 32, kTimerLine = 0, kCascadeLine = 2;

/// Lines arrive at vectors 32 to 47, all masked.
void start_interrupts();
/// Call `handler` for this line, beside others that do, and let it through.
void handle_line(u8 line, void (*handler)());
void mask_line(u8 line, bool masked);

}  // namespace small::trapped
