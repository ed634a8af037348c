// System calls of those who give memory and time out, and of those who prepare to lose some.
#include "exokernel/core/accounts.hpp"
#include "exokernel/core/back_map.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/frame_bindings.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/revocation.hpp"
#include "exokernel/core/syscalls.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {
namespace {

/// The environment `target`, if the capability is for it.  Errors: out_of_range, not_found, stale_capability.
Result<Environment*> check_target(const Capability& shown, EnvId target) {
    if (target.index() - shown.first >= shown.count) return Error::out_of_range;
    if (find_environment(target) == nullptr) return Error::not_found;
    return check_environment(shown, target.index());
}

/// Are there units of that kind by these names?
bool exist(const RevocationSpec& spec) {
    if (spec.first == kAny) return true;
    if (spec.kind == RevocationKind::frames) return frames.exists(FrameRange{FrameNumber{spec.first}, spec.count});
    const u64 all = information.cpus * kSlotsPerCpu;
    return spec.first < all && spec.count <= all - spec.first;
}

/// `count` owned frames of the caller's, under a capability to give them back.
Result<FrameRange> check_own_frames(Environment& env, VirtAddr capability, FrameNumber first, u64 count) {
    const Presented shown = TRY(check_capability(env, capability, ResourceKind::frames, Right::release));
    const FrameRange range{first, count};
    if (count == 0 || !FrameRange{FrameNumber{shown->first}, shown->count}.contains(range) || !frames.exists(range))
        return Error::out_of_range;
    for (u64 i = 0; i < count; ++i) {
        const FrameInfo& info = frames.info(first + i);
        if (info.grant != shown->grant) return Error::stale_capability;
        if (info.owner != env.id.value || info.state != FrameState::owned) return Error::denied;
    }
    return range;
}

/// The frames that a spec names to take the bytes of `sources`. One that serves a frame of `sources` now is free to serve
/// again, as what was said of those is forgotten.
Result<FrameNumber> check_destinations(Environment& env, const AutosaveSpec& spec, FrameRange sources) {
    const Presented shown = TRY(check_capability(env, spec.destination, ResourceKind::frames, Right::write));
    const FrameRange range{spec.first_destination, sources.count};
    if (!FrameRange{FrameNumber{shown->first}, shown->count}.contains(range) || !frames.exists(range)) return Error::out_of_range;
    for (u64 i = 0; i < range.count; ++i) {
        const FrameInfo& info = frames.info(range.first + i);
        const AutosaveSeed seed{info.autosave};
        if (info.grant != shown->grant) return Error::stale_capability;
        if (info.state != FrameState::owned || sources.contains(FrameRange{range.first + i, 1})) return Error::in_use;
        if (info.autosave != 0 && !(seed.is_destination() && sources.contains(FrameRange{seed.other(), 1}))) return Error::in_use;
    }
    return range.first;
}

}  // namespace

// Who may revoke from everybody sets quotas as it likes. Anybody else moves quota between itself and the target: nobody's
// own capability for itself makes it richer.
Result<u64> on_call(const EnvQuota::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    const Presented shown = TRY(check_capability(env, args.environment, ResourceKind::environment, Right::revoke));
    Environment* target = TRY(check_target(*shown, args.target));
    if (args.frame_quota > information.frames) return Error::bad_argument;
    const u64 old = target->info->frame_quota;
    const bool moved = shown->grant != every_environment_grant();
    if (moved && args.frame_quota > old && (target == &env || args.frame_quota - old > quota_left(*env.info))) return Error::quota;

    target->info->frame_quota = args.frame_quota;
    if (moved && target != &env) env.info->frame_quota += old - args.frame_quota;
    return target->info->frames;
}

Result<u64> on_call(const Revoke::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    RevocationSpec spec;
    TRY(copy_in(*env.context, spec, args.spec));
    if (!canonical(spec) || spec.own_ticks < information.grace || spec.wall_ticks < information.grace) return Error::bad_argument;
    const Presented shown = TRY(check_capability(env, args.environment, ResourceKind::environment, Right::revoke));
    Environment* target = TRY(check_target(*shown, args.target));
    if (!exist(spec)) return Error::out_of_range;
    const u64 row = free_row(rows_of(target->id));
    if (row == kRequests) return Error::exhausted;

    return commit_request(*target, env.id, spec, row);
}

Result<u64> on_call(const FrameSample::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    if (args.count == 0 || args.count > FrameSample::kMaxCount) return Error::bad_argument;
    const u64 words = (args.count + 63) / 64;
    const UserBytes out = TRY(check_user(*env.context, args.bits, words * sizeof(u64), true));
    const Presented shown = TRY(check_capability(env, args.environment, ResourceKind::environment, Right::revoke));
    if (!frames.exists(FrameRange{args.first, args.count})) return Error::out_of_range;

    u64 bits[FrameSample::kMaxCount / 64]{}, touched = 0;
    FrameNumber block{kAny};     // the 2 MiB around the last frame, and
    bool block_touched = false;  // was it touched: asked once, as asking clears it
    for (u64 i = 0; i < args.count; ++i) {
        const FrameNumber frame = args.first + i;
        const EnvId owner{frames.info(frame).owner};
        if (!owner || !check_target(*shown, owner).ok()) continue;
        if (block_of(frame) != block) {
            block = block_of(frame);
            block_touched = sample_bindings(block, true);
        }
        if (!sample_bindings(frame, false) && !block_touched) continue;
        bits[i / 64] |= u64{1} << i % 64;
        ++touched;
    }
    copy_words(out.piece[0], bits, out.size[0]);
    if (out.size[1] != 0) copy_words(out.piece[1], reinterpret_cast<const u8*>(bits) + out.size[0], out.size[1]);
    return touched;
}

Outcome on_call(const Autosave::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    AutosaveSpec spec;
    TRY(copy_in(*env.context, spec, args.spec));
    if (static_cast<u64>(spec.kind) >= static_cast<u64>(AutosaveKind::extent) || spec.zero != 0) return Error::bad_argument;
    const FrameRange range = TRY(check_own_frames(env, args.capability, args.first, args.count));
    // A frame that others' bytes are promised a place in has no say of its own until they have found another.
    for (u64 i = 0; i < range.count; ++i)
        if (AutosaveSeed{frames.info(range.first + i).autosave}.is_destination()) return Error::in_use;
    const bool copies = spec.kind == AutosaveKind::copy;
    const FrameNumber destination = copies ? TRY(check_destinations(env, spec, range)) : FrameNumber{};

    // What was said is forgotten first: a destination may go from one of these frames to another.
    for (u64 i = 0; i < range.count; ++i) frames.commit_unseed(range.first + i);
    for (u64 i = 0; i < range.count && spec.kind != AutosaveKind::none; ++i)
        frames.commit_seed(range.first + i, spec.kind, copies ? destination + i : FrameNumber{});
    return Done{};
}

Outcome on_call(const Reserve::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    if (args.keep > 1) return Error::bad_argument;
    const FrameRange range = TRY(check_own_frames(env, args.capability, args.first, args.count));
    u64 in = 0;
    for (u64 i = 0; i < range.count; ++i) in += (frames.info(range.first + i).flags & frame_flag::kReserve) != 0;
    if (args.keep != 0 && range.count - in > kMaxReserve - env.info->reserve) return Error::quota;

    if (args.keep == 0) {
        leave_reserve(range);
        return Done{};
    }
    for (u64 i = 0; i < range.count; ++i) frames.info(range.first + i).flags |= frame_flag::kReserve;
    env.info->reserve += range.count - in;
    return Done{};
}

}  // namespace tessera::kernel
