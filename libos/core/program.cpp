// From start.S to the program and out again.
#include "libos/core/program.hpp"

#include "libos/core/upcalls.hpp"

extern "C" {
using Initialiser = void (*)();
extern const Initialiser libos_init_begin[];
extern const Initialiser libos_init_end[];

void libos_register(const tessera::BootInfo* info);
[[noreturn]] void libos_run_program();
}

namespace tessera::libos {

constinit const BootInfo* boot_info = nullptr;

void exit(u64 code) {
    for (;;) enter_kernel<Exit>({code});
}

}  // namespace tessera::libos

// Order: until this has run, a page fault ends the environment. It stands on guaranteed memory only.
void libos_register(const tessera::BootInfo* info) {
    tessera::libos::boot_info = info;
    if (!tessera::libos::register_upcalls().ok()) tessera::libos::exit(tessera::libos::kFatalExit);
}

void libos_run_program() {
    for (const Initialiser* each = libos_init_begin; each != libos_init_end; ++each) (*each)();
    tessera::libos::exit(static_cast<tessera::u64>(libos_main()));
}
