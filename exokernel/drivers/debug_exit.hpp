// How the machine stops: QEMU's isa-debug-exit, the word that Bochs listens for, and a halt where there is neither.
#pragma once

#include "exokernel/abi/records.hpp"
#include "exokernel/arch/x86_64/registers.hpp"

namespace tessera::kernel {

[[noreturn]] inline void leave_machine(ExitCode code) {
    out8(0xf4, static_cast<u8>(code));
    for (const char* c = "Shutdown"; *c != 0; ++c) out8(0x8900, static_cast<u8>(*c));
    halt_forever();
}

}  // namespace tessera::kernel
