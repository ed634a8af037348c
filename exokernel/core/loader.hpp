// From a boot module to an environment that is ready to run: its image in frames of its own, bound in a context of its
// own, with a page that tells it what it has. The only program loader in the kernel; everything later is libOS work.
#pragma once

#include "exokernel/core/multiboot2.hpp"

namespace tessera::kernel {

/// Start one module. A bad one is named on the log and counted as failed; the others still run.
void load_module(const BootModule& module, u64 number);

/// Give a module that is a file, `data=NAME for=NAME,...`, to the libOSes that it is for, when they are all there.
void give_file(const BootModule& module, u64 number);
/// What lies in a file's last page behind it is nobody's to see. The boot loader may have put there what it says of all modules:
/// when that has been read for the last time.
void clear_tails();

/// Every loaded environment gets the slots that it asked for, dealt in turns so that they interleave.
void deal_slots();

}  // namespace tessera::kernel
