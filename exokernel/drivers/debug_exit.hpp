// How the machine stops: QEMU's isa-debug-exit, the word that Bochs listens for, and a halt where there is neither.
#pragma once

#include "exokernel/abi/records.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/drivers/uart.hpp"

namespace tessera::kernel {

/// Waits until the serial ports have sent everything: what they still hold when the machine stops is lost.
[[noreturn]] inline void leave_machine(ExitCode code) {
    com1.drain();
    com2.drain();
    out8(0xf4, static_cast<u8>(code));
    for (const char* c = "Shutdown"; *c != 0; ++c) out8(0x8900, static_cast<u8>(*c));
    halt_forever();
}

}  // namespace tessera::kernel
