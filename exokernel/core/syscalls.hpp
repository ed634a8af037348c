// From a system call's number to its handler. The table is folded from the ABI's list: a call without a handler does
// not link, and a handler with other arguments does not compile.
//
// Every handler has the same steps: decode, validate, authorise, commit (which cannot fail), reply.
#pragma once

#include "exokernel/abi/result.hpp"
#include "exokernel/abi/syscalls.hpp"
#include "exokernel/core/frames.hpp"

namespace tessera::kernel {

struct Environment;

/// What a call returns in rax and rdx.
struct SysReply {
    Error error;
    u64 value;
};

/// The caller of the system call that is being served.
Environment& caller();

Outcome on_call(const LogWrite::Args&);
Outcome on_call(const RecordWrite::Args&);
Outcome on_call(const Exit::Args&);
Outcome on_call(const Yield::Args&);
Result<FrameNumber> on_call(const FrameAlloc::Args&);
Outcome on_call(const FrameRelease::Args&);
Result<ContextId> on_call(const ContextCreate::Args&);
Outcome on_call(const ContextDestroy::Args&);
Result<u64> on_call(const Bind::Args&);
Result<u64> on_call(const Rebind::Args&);
Result<u64> on_call(const Unbind::Args&);
Result<u64> on_call(const Protect::Args&);
Result<u64> on_call(const ClearBits::Args&);
Result<SlotNumber> on_call(const SlotTake::Args&);
Outcome on_call(const SlotRelease::Args&);
Outcome on_call(const SlotRun::Args&);
Result<EnvId> on_call(const EnvCreate::Args&);
Outcome on_call(const EnvDestroy::Args&);
Outcome on_call(const UpcallSet::Args&);
Result<u64> on_call(const CapabilityCheck::Args&);
Result<u64> on_call(const Batch::Args&);
Result<u64> on_call(const EnvQuota::Args&);
Result<u64> on_call(const Revoke::Args&);
Result<u64> on_call(const FrameSample::Args&);
Outcome on_call(const Autosave::Args&);
Outcome on_call(const Reserve::Args&);
Outcome on_call(const EntryPublish::Args&);
Outcome on_call(const EntryWithdraw::Args&);
Outcome on_call(const GateBind::Args&);
Outcome on_call(const Notify::Args&);
Outcome on_call(const PostCapability::Args&);
Result<u64> on_call(const GuestCreate::Args&);
Outcome on_call(const GuestDestroy::Args&);
Outcome on_call(const GuestLoad::Args&);
Result<u64> on_call(const ConsoleRead::Args&);
Outcome on_call(const ConsoleWrite::Args&);

/// `count` frames of a capability that may become kernel memory: owned, contiguous, nobody's save area.
Result<FrameRange> check_kernel_memory(Environment& env, VirtAddr capability, u64 count);

}  // namespace tessera::kernel
