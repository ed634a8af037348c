// System calls on frames.
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/accounts.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/revocation.hpp"
#include "exokernel/core/syscalls.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {

Result<FrameNumber> on_call(const FrameAlloc::Args& args) {
    Environment& env = caller();
    if (args.count == 0 || args.count > FrameAlloc::kMaxCount) return Error::bad_argument;
    if (args.alignment == 0 || (args.alignment & (args.alignment - 1)) != 0 || args.alignment > FrameAlloc::kMaxCount)
        return Error::bad_argument;
    const UserBytes out = TRY(check_out<Capability>(*env.context, args.capability));
    if (args.count > quota_left(*env.info)) return Error::quota;
    const FrameRange range = TRY(frames.check_free(args.first, args.count, args.alignment));

    const u64 grant = frames.commit_take(range, env.id, FrameState::owned);
    set_frames(*env.info, env.info->frames + range.count, read_tsc());
    on_taken(env, RevocationKind::frames, range.count);
    information.frames_free = frames.free_count();
    commit_copy_out(out, mint_capability(ResourceKind::frames, kFrameRights, range.first.value, range.count, grant));
    return range.first;
}

Outcome on_call(const FrameRelease::Args& args) {
    Environment& env = caller();
    const Presented shown = TRY(check_capability(env, args.capability, ResourceKind::frames, Right::release));
    const FrameRange range{args.first, args.count};
    if (range.count == 0 || !FrameRange{FrameNumber{shown->first}, shown->count}.contains(range) ||
        !frames.exists(range))
        return Error::out_of_range;
    for (u64 i = 0; i < range.count; ++i) {
        const FrameInfo& info = frames.info(range.first + i);
        if (info.grant != shown->grant) return Error::stale_capability;
        if (info.state != FrameState::owned || (info.flags & frame_flag::kSaveArea)) return Error::in_use;
    }

    give_back(range);
    return Done{};
}

}  // namespace tessera::kernel
