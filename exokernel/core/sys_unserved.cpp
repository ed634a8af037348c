// Calls of the ABI that nobody serves yet.
#include "exokernel/core/syscalls.hpp"

namespace tessera::kernel {

Result<u64> on_call(const EnvQuota::Args&) { return Error::unknown_call; }
Result<u64> on_call(const Revoke::Args&) { return Error::unknown_call; }
Result<u64> on_call(const FrameSample::Args&) { return Error::unknown_call; }
Outcome on_call(const Autosave::Args&) { return Error::unknown_call; }
Outcome on_call(const Reserve::Args&) { return Error::unknown_call; }

}  // namespace tessera::kernel
