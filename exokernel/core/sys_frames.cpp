// System calls on frames.
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/accounts.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
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
    FrameRange range;
    u64 grant;
    {
        Guard guard(frames_lock);
        range = TRY(frames.check_free(args.first, args.count, args.alignment));
        grant = frames.commit_take(range, env.id, FrameState::owned);
        information.frames_free = frames.free_count();
    }
    set_frames(*env.info, env.info->frames + range.count, read_tsc());
    on_taken(env, RevocationKind::frames, range.count);
    commit_copy_out(out, mint_capability(ResourceKind::frames, kFrameRights, range.first.value, range.count, grant));
    return range.first;
}

namespace {

/// Claim frames that none but this CPU has anything to do with, nor with those that they are saved to or from.
bool claim_private(const Environment& env, FrameRange range, u64 grant) {
    for (u64 i = 0; i < range.count; ++i) {
        const FrameInfo& info = frames.info(range.first + i);
        if (info.owner != env.id.value || AutosaveSeed{info.autosave}.kind() == AutosaveKind::copy) return false;
    }
    return claim_here(range, grant);
}

Outcome release(Environment& env, const FrameRelease::Args& args, bool stopped) {
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

    if (!stopped && !claim_private(env, range, shown->grant)) {
        Exclusive exclusive;
        return release(env, args, true);  // from the start: everything may have changed
    }
    give_back(range);
    return Done{};
}

}  // namespace

Outcome on_call(const FrameRelease::Args& args) { return release(caller(), args, cpu_count() == 1); }

}  // namespace tessera::kernel
