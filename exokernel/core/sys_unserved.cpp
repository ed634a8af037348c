// Calls of the ABI that nobody serves yet.
#include "exokernel/core/syscalls.hpp"

namespace tessera::kernel {

Result<u64> on_call(const EnvQuota::Args&) { return Error::unknown_call; }
Result<u64> on_call(const Revoke::Args&) { return Error::unknown_call; }
Result<u64> on_call(const FrameSample::Args&) { return Error::unknown_call; }
Outcome on_call(const Autosave::Args&) { return Error::unknown_call; }
Outcome on_call(const Reserve::Args&) { return Error::unknown_call; }
Outcome on_call(const EntryPublish::Args&) { return Error::unknown_call; }
Outcome on_call(const EntryWithdraw::Args&) { return Error::unknown_call; }
Outcome on_call(const GateBind::Args&) { return Error::unknown_call; }
Outcome on_call(const TransferCall::Args&) { return Error::unknown_call; }
Outcome on_call(const TransferAnswer::Args&) { return Error::unknown_call; }
Outcome on_call(const TransferSend::Args&) { return Error::unknown_call; }
Result<u64> on_call(const Wait::Args&) { return Error::unknown_call; }
Outcome on_call(const Notify::Args&) { return Error::unknown_call; }
Outcome on_call(const PostCapability::Args&) { return Error::unknown_call; }

}  // namespace tessera::kernel
