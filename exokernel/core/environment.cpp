#include "exokernel/core/environment.hpp"

#include <algorithm>

#include "exokernel/arch/x86_64/fpu.hpp"
#include "exokernel/arch/x86_64/hardware_tlb.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/guest.hpp"
#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/accounts.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/log.hpp"
#include "exokernel/core/revocation.hpp"
#include "exokernel/core/slots.hpp"
#include "exokernel/arch/x86_64/switch.hpp"
#include "exokernel/core/trace.hpp"
#include "exokernel/drivers/uart.hpp"

namespace tessera::kernel {

SaveArea no_save_area{.depth = kSaveRecords, .zero = 0, .reserved = {}, .record = {}};

Environment* environments[256];

namespace {

u64 generations[kMaxEnvironments];
constexpr u64 kMaxGeneration = 0xff'ffff;  // an id has 32 bits
u64 failed;
u64 grant_for_every;
EnvId console;

EnvId owner_of(FrameNumber frame) { return EnvId{frames.info(frame).owner}; }

/// Does `env` stand in, live in, save into or run a guest in memory of `owner`?
bool depends_on(const Environment& env, const Environment& owner) {
    return owner_of(env.memory.first) == owner.id || owner_of(env.context->memory.first) == owner.id ||
           (env.save_to_user != 0 && owner_of(env.save_frame) == owner.id) || runs_guest_in(env, owner.id);
}

void record_end(const Environment& env, const EndReason& reason) {
    const EnvironmentInfo& i = *env.info;
    set_frames(*env.info, i.frames, read_tsc());
    write_record(RecordType::ended, env.id.index(),
                 Json<1500>()
                     .field("name", static_cast<const char*>(i.name))
                     .field("env", env.id.value)
                     .field("reason", Text<170>(reason.text.view(), '\0').view().data())
                     .field("failed", reason.code != 0)
                     .field("ticks", i.ticks)
                     .field("slices", i.slices)
                     .field("switches", i.switches)
                     .field("yields", i.yields)
                     .field("forced", i.forced)
                     .field("excess", i.excess)
                     .field("debt", i.debt)
                     .field("forfeited", i.forfeited)
                     .field("upcalls", i.upcalls)
                     .field("hits", i.hits)
                     .field("misses", i.misses)
                     .field("preloads", i.preloads)
                     .field("wipes", i.wipes)
                     .field("frames", i.frames)
                     .field("slots", i.slots)
                     .field("stolen", i.stolen)
                     .field("paid_back", i.paid_back)
                     .field("frame_ticks", i.frame_ticks)
                     .field("bindings", i.bindings)
                     .field("syscalls", i.syscalls)
                     .field("transfers", i.transfers)
                     .field("asked", i.asked)
                     .field("repossessed", i.repossessed)
                     .done());
}

/// Contexts first, as their frames are in use until they are destroyed; then every frame that is `left` of its account.
void release_memory_of(EnvId id, u64 left) {
    for (u64 i = 0; i < kMaxContexts; ++i) {
        Context* context = context_at(i);
        if (context == nullptr || owner_of(context->memory.first) != id) continue;
        left -= context->memory.count;
        destroy_context(*context);
    }
    for (u64 i = 0; i < frames.count() && left != 0; ++i) {
        const FrameNumber first{i};
        u64 run = 0;
        while (i + run < frames.count() && owner_of(first + run) == id) ++run;
        if (run == 0) continue;
        give_back(FrameRange{first, run});
        i += run - 1;
        left -= run;
    }
}

}  // namespace

void initialise_environments() {
    for (u64 cpu = 0; cpu < kMaxCpus; ++cpu)
        for (u64 i = 0; i < 256; ++i) cpu_at(cpu).environment_ids[i] = nobody_at(i);
    grant_for_every = frames.fresh_grant();
}

Result<u64> check_environment_slot() {
    // An index whose generations are used up is never used again: an id must not come to name somebody else.
    for (u64 i = 1; i < kMaxEnvironments; ++i)
        if (environments[i] == nullptr && generations[i] < kMaxGeneration) return i;
    return Error::exhausted;
}

bool is_loaded_name(const char (&name)[16]) {
    for (const Environment* env : environments)
        if (env != nullptr && !env->creator && __builtin_memcmp(env->info->name, name, sizeof name) == 0) return true;
    return false;
}

EnvId next_environment_id(u64 index) { return EnvId::make(index, generations[index] + 1); }

Environment& commit_environment(u64 index, const EnvironmentPlan& plan) {
    Environment& env = *at<Environment>(address_of(plan.memory.first));
    env = Environment{};
    // Nothing is found at first: what has the tag in entry i would be looked for in entry i + 1.
    CapabilityCache& cache = env.cache();
    cache = CapabilityCache{};
    for (u64 i = 0; i < CapabilityCache::kEntries; ++i) cache.entries[i].words[offsetof(Capability, tag) / 8] = i + 1;
    env.id = EnvId::make(index, ++generations[index]);
    env.creator = plan.creator;
    env.grant = frames.fresh_grant();
    env.save = &no_save_area;
    env.context = plan.context;
    env.home = plan.home;
    env.memory = plan.memory;
    env.resume = Resume::full;
    env.frame.entry = {plan.entry.value, SELECTOR_USER_CODE, USER_RFLAGS, 0, SELECTOR_USER_DATA};
    env.frame.regs.rdi = plan.argument;
    initialise_gates(env);
    fpu_reset(env);
    EnvironmentInfo& info = environment_infos[index];
    info = EnvironmentInfo{};
    info.id = static_cast<u32>(env.id.value);
    info.state = EnvironmentState::runnable;
    for (u64 i = 0; i < sizeof info.name; ++i) info.name[i] = plan.name[i];
    info.context = static_cast<u32>(plan.context->id.value);
    info.cpu = static_cast<u32>(plan.home->index);
    info.frame_quota = plan.frame_quota;
    info.frames_since = read_tsc();
    env.info = &info;
    commit_residents(*plan.context, *plan.home, 1);
    environments[index] = &env;
    plan.home->environment_ids[index] = env.id;
    trace(Event::env_created, env.id.value);
    return env;
}

void release_written_pages(const Environment& env) {
    if (env.save_to_user != 0) frames.info(env.save_frame).flags &= static_cast<u8>(~frame_flag::kSaveArea);
    if (env.vector != nullptr) frames.info(env.vector_frame).flags &= static_cast<u8>(~frame_flag::kSaveArea);
}

namespace {

/// End one on which no other depends.
void end_alone(Environment& env, const EndReason& reason) {
    const EnvId id = env.id, creator_id = env.creator;
    const u64 quota = env.info->frame_quota;
    flush_log_of(env);
    if (env.home->env == &env) account(*env.home);  // perhaps on another CPU, stopped
    close_requests_of(env);
    if (reason.code != 0) ++failed;
    log(static_cast<const char*>(env.info->name), " ended: ", reason.text.view(), "; ", env.info->frames, " frames, ",
        env.info->slots, " slots given back");
    record_end(env, reason);
    trace(Event::env_ended, id.value);
    // What it passed on of its quota goes back to whom it had it from.
    for (Environment* other : environments)
        if (other != nullptr && other->creator == id) other->creator = creator_id;
    release_slots_of(env);
    leave_transfers(env);
    fpu_forget(env);
    leave_guests(env);
    if (env.home->env == &env) env.home->env = nullptr;
    environments[id.index()] = nullptr;
    env.home->environment_ids[id.index()] = nobody_at(id.index());
    commit_residents(*env.context, *env.home, -1);
    const FrameRange own = env.memory;
    const bool paid_by_itself = owner_of(own.first) == id;
    release_written_pages(env);
    if (!paid_by_itself) give_back(own);
    release_memory_of(id, env.info->frames);
    if (Environment* creator = find_environment(creator_id)) creator->info->frame_quota += quota;
    environment_infos[id.index()] = EnvironmentInfo{};
}

}  // namespace

void end_environment(Environment& env, const EndReason& reason) {
    Exclusive exclusive;
    // Whoever depends on it, or on one that does, ends too. They are gathered first and then ended one by one: a chain of
    // environments can be long, and the kernel's stack is not.
    struct Doomed {
        Environment* env;
        Text<16> owner;  // the name of whose memory it depends on, who may end before it
    } doomed[kMaxEnvironments];
    u64 count = 0;
    const auto doom = [&](Environment& one, const char* owner) {
        one.info->state = EnvironmentState::ending;
        doomed[count++] = {&one, Text<16>(owner)};
    };
    doom(env, "");
    for (u64 i = 0; i < count; ++i)
        for (Environment* other : environments)
            if (other != nullptr && other->info->state != EnvironmentState::ending && depends_on(*other, *doomed[i].env))
                doom(*other, doomed[i].env->info->name);
    // A guest can be loaded with a context of somebody younger, or two with each other's: first nobody is with any.
    for (u64 i = 0; i < count; ++i) leave_guests(*doomed[i].env);
    // Youngest first, as grants are given in order: apart from guests, nobody stands in the memory of who came later.
    std::sort(doomed, doomed + count, [](const Doomed& a, const Doomed& b) { return a.env->grant > b.env->grant; });
    for (u64 i = 0; i < count; ++i)
        end_alone(*doomed[i].env, doomed[i].env == &env ? reason : EndReason::because("its memory belonged to ", doomed[i].owner.view()));
    for (const Environment* other : environments)
        if (other != nullptr) return;
    finish();
}

void end_current(const EndReason& reason) {
    Cpu& cpu = Cpu::here();
    Exclusive exclusive;  // if somebody ended it meanwhile, this does not return
    // Order: looked at only now; a caller that was moved to another CPU meanwhile has its error already, and is no heir.
    Environment* const caller = cpu.env->caller;
    const EnvId heir = caller != nullptr ? caller->id : EnvId{};
    end_environment(*cpu.env, reason);
    // Whose call it was serving gets the rest of the slice back, with the error.
    if (Environment* waits = find_environment(heir); waits != nullptr && !cpu.in_grace()) {
        leave_exclusion(cpu);
        run(cpu, *waits);
    }
    run_next_slot(cpu);
}

void end_stranded_environments(const char* why) {
    Exclusive exclusive;
    for (u64 i = 0; i < kMaxEnvironments; ++i)
        if (environments[i] != nullptr) end_environment(*environments[i], EndReason::because(why));
    finish();
}

u64 every_environment_grant() { return grant_for_every; }

Result<Environment*> check_environment(const Capability& shown, u64 index) {
    if (index - shown.first >= shown.count || index >= kMaxEnvironments) return Error::out_of_range;
    Environment* env = environments[index];
    if (env == nullptr || (shown.grant != env->grant && shown.grant != every_environment_grant())) return Error::stale_capability;
    return env;
}

EnvId console_owner() { return console; }
void give_console(EnvId id) {
    com3.initialise();
    console = id;
}

u64 environments_failed() { return failed; }
void count_failed_start() { ++failed; }

}  // namespace tessera::kernel
