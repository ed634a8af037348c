// Which CPU an environment lives on: only that one runs it, and only that one's slots can.
#pragma once

#include "exokernel/abi/result.hpp"
#include "exokernel/abi/syscalls.hpp"
#include "exokernel/arch/x86_64/trap_frame.hpp"

namespace tessera::kernel {

/// `env_place`, from on_blocking_call: whoever moves itself goes on elsewhere, with all registers of `frame`.
Outcome place(const EnvPlace::Args& args, const TrapFrame& frame);

}  // namespace tessera::kernel
