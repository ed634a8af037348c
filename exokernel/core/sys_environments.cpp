// System calls on environments: making, ending, upcalls, talking to the outside.
#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/core/accounts.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/core/revocation.hpp"
#include "exokernel/core/slots.hpp"
#include "exokernel/core/syscalls.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {
namespace {

bool is_address(VirtAddr address) { return address.value < kUserPages << kPageShift; }

bool canonical_name(const char (&name)[16]) {
    u64 length = 0;
    while (length < 16 && name[length] != 0) {
        const char c = name[length++];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) return false;
    }
    for (u64 i = length; i < 16; ++i)
        if (name[i] != 0) return false;
    return length >= 1 && length <= 15 && std::string_view{name, length} != kKernelName;
}

/// Bytes of any alignment and length up to a page, copied in.
struct Message {
    char bytes[kMaxRecord];
};
Message messages[kMaxCpus];  // filled and used up within one call

Result<std::string_view> copy_message(Environment& env, VirtAddr text, u64 length) {
    Message& message = messages[env.home->index];
    if (length > sizeof message.bytes) return Error::bad_argument;
    if (length == 0) return std::string_view{};
    const UserBytes bytes = TRY(check_user(*env.context, text, length, false, 1));
    char* out = message.bytes;
    for (u64 piece = 0; piece < 2; ++piece)
        for (u64 i = 0; i < bytes.size[piece]; ++i)
            *out++ = static_cast<char>(*static_cast<volatile u8*>(bytes.piece[piece] + i));
    return std::string_view{message.bytes, length};
}

}  // namespace

Outcome on_call(const LogWrite::Args& args) {
    Environment& env = caller();
    log_for(env, TRY(copy_message(env, args.text, args.length)));
    return Done{};
}

Outcome on_call(const RecordWrite::Args& args) {
    Environment& env = caller();
    write_record(RecordType::libos, env.id.index(), TRY(copy_message(env, args.text, args.length)));
    return Done{};
}

Outcome on_call(const Exit::Args& args) { end_current(EndReason::by_exit(args.code)); }

Result<EnvId> on_call(const EnvCreate::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    EnvSpec spec;
    TRY(copy_in(*env.context, spec, args.spec));
    if (!canonical_name(spec.name)) return Error::bad_argument;
    if (!is_address(spec.entry)) return Error::bad_address;
    Context* context = TRY(check_named_context(env, spec.context));
    if (context->kind != ContextKind::libos) return Error::bad_argument;
    const UserBytes out = TRY(check_out<Capability>(*env.context, args.capability));
    const FrameRange memory = TRY(check_kernel_memory(env, spec.frames, kEnvFrames));
    if (spec.frame_quota > quota_left(*env.info)) return Error::quota;
    const u64 index = TRY(check_environment_slot());
    if (is_loaded_name(spec.name)) return Error::conflict;

    shoot_down(memory);
    on_charged(memory);
    frames.commit_recast(memory, FrameState::charged, 0, 0);
    env.info->frame_quota -= spec.frame_quota;
    EnvironmentPlan plan{memory, context, env.home, spec.entry, spec.argument, spec.frame_quota, {}, env.id};
    for (u64 i = 0; i < sizeof plan.name; ++i) plan.name[i] = spec.name[i];
    const Environment& made = commit_environment(index, plan);
    write_record(RecordType::started, made.id.index(),
                 Json<200>().field("name", static_cast<const char*>(made.info->name)).field("env", made.id.value).done());
    if (const auto still = check_out<Capability>(*env.context, args.capability); still.ok())
        commit_copy_out(out, mint_capability(ResourceKind::environment, kEnvironmentRights, index, 1, made.grant));
    return made.id;
}

Outcome on_call(const EnvDestroy::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    const Presented shown = TRY(check_capability(env, args.capability, ResourceKind::environment, Right::release));
    Environment* target = TRY(check_environment(*shown, shown->first));

    end_environment(*target, EndReason::because("destroyed by ", static_cast<const char*>(env.info->name)));
    Cpu& cpu = Cpu::here();
    if (cpu.env == nullptr) run_next_slot(cpu);  // it was the caller, or the caller lived in its memory
    return Done{};
}

namespace {

/// The frame behind a page that the kernel writes on its own account: bound guaranteed and writable, the caller's own, and
/// not yet what another environment has written.
Result<FrameNumber> check_written_page(const Environment& env, VirtAddr page) {
    if (!is_address(page) || page.value % kPageSize != 0) return Error::bad_address;
    const StlbEntry* entry = env.context->stlb.find_guaranteed(tag_of(page_of(page), false));
    if (entry == nullptr || !(entry->pte & pte::kWritable)) return Error::denied;
    const FrameNumber frame = frame_in(entry->pte);
    const FrameInfo& info = frames.info(frame);
    if (info.owner != env.id.value || info.state != FrameState::owned) return Error::denied;
    const bool had = (env.save_to_user != 0 && env.save_frame == frame) || (env.vector != nullptr && env.vector_frame == frame);
    if ((info.flags & frame_flag::kSaveArea) && !had) return Error::conflict;
    return frame;
}

}  // namespace

Outcome on_call(const UpcallSet::Args& args) {
    Exclusive exclusive;
    Environment& env = caller();
    UpcallTable table;
    TRY(copy_in(*env.context, table, args.table));
    for (const VirtAddr entry : table.entry)
        if (!is_address(entry)) return Error::bad_address;
    const FrameNumber frame = TRY(check_written_page(env, table.save_area));
    const bool has_vector = table.vector.value != 0;
    const FrameNumber vector_frame = has_vector ? TRY(check_written_page(env, table.vector)) : frame;
    if (has_vector && vector_frame == frame) return Error::conflict;

    release_written_pages(env);
    frames.info(frame).flags |= frame_flag::kSaveArea;
    if (has_vector) frames.info(vector_frame).flags |= frame_flag::kSaveArea;
    env.vector = has_vector ? at<RepossessionVector>(address_of(vector_frame)) : nullptr;
    env.vector_frame = vector_frame;
    env.save_frame = frame;
    env.save = at<SaveArea>(address_of(frame));
    env.save_to_user = table.save_area.value - reinterpret_cast<u64>(env.save);
    for (u64 i = 0; i < kUpcallKinds; ++i) env.entry[i] = table.entry[i].value;
    settle_resume(env);
    return Done{};
}

Result<u64> on_call(const CapabilityCheck::Args& args) {
    Environment& env = caller();
    const Presented shown = TRY(check_genuine(env, args.capability));
    const auto live = [&]() -> bool {
        switch (shown->kind) {
            case ResourceKind::frames:
            case ResourceKind::tlb_entry:
                if (!frames.exists({FrameNumber{shown->first}, shown->count})) return false;
                for (u64 i = 0; i < shown->count; ++i)
                    if (frames.info(FrameNumber{shown->first + i}).grant != shown->grant) return false;
                return true;
            case ResourceKind::slots:
                return shown->first < kMaxCpus * kSlotsPerCpu && slot_infos[shown->first].grant == shown->grant;
            case ResourceKind::context: {
                const Context* context = shown->first < kMaxContexts ? context_at(shown->first) : nullptr;
                return context != nullptr && context->grant == shown->grant;
            }
            case ResourceKind::environment:
                return shown->grant == every_environment_grant() || check_environment(*shown, shown->first).ok();
            case ResourceKind::entry: return check_entry(*shown).ok();
            case ResourceKind::none: break;
        }
        return false;
    };
    if (!live()) return Error::stale_capability;
    return u64{shown->rights};
}

}  // namespace tessera::kernel
