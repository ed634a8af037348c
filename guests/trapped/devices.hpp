// The devices of a PC that are always there: the first serial port and the timer. And leaving QEMU.
#pragma once

namespace small::trapped {

void start_console();
void start_timer();
/// `exit=f4` on the command line: QEMU's isa-debug-exit is at that port, and nothing else is.
void start_power(const char* command_line);

}  // namespace small::trapped
