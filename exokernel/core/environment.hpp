// An environment: what the kernel delivers events to. It lives in two frames that were paid for: this structure
// with the FPU state, and the cache of capabilities that it presented before.
#pragma once

#include "exokernel/abi/information.hpp"
#include "exokernel/abi/result.hpp"
#include "exokernel/abi/syscalls.hpp"
#include "exokernel/arch/x86_64/trap_frame.hpp"
#include "exokernel/core/capabilities.hpp"
#include "exokernel/core/context.hpp"
#include "exokernel/core/frames.hpp"
#include "exokernel/core/text.hpp"
#include "exokernel/core/transfer.hpp"
#include "exokernel/core/wake.hpp"

namespace tessera::kernel {

/// How an environment goes on when it is switched to.
enum class Resume : u64 {
    yielded,     ///< It made a system call: rip and rsp; it expects nothing else.
    with_begin,  ///< The same, but it wants to be told by slice_begin.
    full,        ///< It was interrupted, or is new: all registers.
    calling,     ///< It does not, until the callee behind gate `called` answers: then as `yielded`, and what is in registers is the answer.
    open,        ///< It does not, until it is called.
    sleeping,    ///< It does not, until `wake` holds: then as `full`.
};

struct Cpu;
struct Guest;

struct Environment {
    // Read by trap code (offsets.cpp).
    SaveArea* save;         ///< The kernel's address of the save area; `kNoSaveArea` (always full) without one.
    u64 save_to_user;       ///< From there to the libOS's address of it; 0 without one.
    u64 entry[kUpcallKinds];
    EnvironmentInfo* info;  ///< The accounts, in the table that everybody can read.
    u64 resume_rip;
    u64 resume_rsp;
    Resume resume;
    Resume when_yielded;    ///< `yielded` or `with_begin`, by whether there is an entry for slice_begin.

    // Control transfer (transfer.hpp).
    Environment* caller;    ///< Whom the answer goes to; nullptr: nobody; kWaitsForCall: no call is being served.
    u64 called;             ///< With Resume::calling: the gate.
    Gates gates;
    EntryPoint entries[kEntriesPerEnvironment];
    WakeCondition wake;     ///< With Resume::sleeping.

    EnvId id;
    EnvId creator;          ///< Whose frame quota it has a part of; zero: loaded at boot.
    u64 grant;
    Context* context;
    Cpu* home;              ///< The CPU that it lives on: nobody else runs it, or looks at how it goes on.
    FrameRange memory;      ///< The two frames of this structure.
    FrameNumber save_frame; ///< Valid when it has one.
    RepossessionVector* vector;  ///< The kernel's address of it; nullptr: it has none.
    FrameNumber vector_frame;    ///< Valid when it has one.
    u8 outstanding;         ///< Its rows of the table of requests that are: bit n is row n.
    u8 untold;              ///< Those that it has not had the upcall for,
    u8 unheard;             ///< those that it had no entry for when they came: told, should it register one,
    u8 bereaved;            ///< and those for which something was taken since it was last told.
    u64 overstayed;         ///< Of its debt, at most what it has for staying behind the end of its slices.
    u64 offered;            ///< CPU time of the slices that it was given, used or not.
    TrapFrame frame;        ///< With Resume::full, and these two:
    u64 fs_base, gs_base;
    u64 log_length;
    char log_line[160];     ///< What it has written to the log since the last newline.
    alignas(16) u8 fpu[512];

    Guest* guests[kGuestsPerEnvironment];
    bool in_guest;          ///< Just now: an interrupt would be an exit.

    CapabilityCache& cache() { return *reinterpret_cast<CapabilityCache*>(reinterpret_cast<u8*>(this) + kPageSize); }
};
static_assert(sizeof(Environment) <= kPageSize && sizeof(CapabilityCache) <= kPageSize);

/// Why an environment ended: `text` for people; only exit code 0 is a good end.
struct EndReason {
    Text<160> text;
    u64 code = kAny;
    static EndReason by_exit(u64 code) { return {Text<160>("exit ", code), code}; }
    template <class... Parts>
    static EndReason because(const Parts&... parts) { return {Text<160>(parts...), kAny}; }
};

/// By index: what an id's low byte says. Entries that are not used, also those behind kMaxEnvironments, are nullptr.
extern Environment* environments[256];
static_assert(kMaxEnvironments <= 256);

/// The environment behind an id, or nullptr.
inline Environment* find_environment(EnvId id) {
    Environment* env = environments[id.index()];
    return env != nullptr && env->id == id ? env : nullptr;
}
inline Environment* environment_at(u64 index) { return index < kMaxEnvironments ? environments[index] : nullptr; }

/// An id that cannot be looked for at `index`, as it would be looked for elsewhere.
constexpr EnvId nobody_at(u64 index) { return EnvId{index ^ 1}; }

/// What the maker of an environment may do with it.
inline constexpr Rights kEnvironmentRights = Rights{static_cast<u32>(Right::release) | static_cast<u32>(Right::use) | static_cast<u32>(Right::revoke)};
/// The grant of capabilities for all environments, now and later (BootInfo::every_environment).
u64 every_environment_grant();
/// The environment at `index`, if the capability is for it.  Errors: out_of_range, stale_capability (also: nobody there).
Result<Environment*> check_environment(const Capability& shown, u64 index);

/// Does an environment of this name live that was loaded at boot? Nobody else may write to the log under it.
bool is_loaded_name(const char (&name)[16]);

/// What both the loader and `env_create` fill in. Everything has been checked.
struct EnvironmentPlan {
    FrameRange memory;      ///< Two frames, charged to `payer`.
    Context* context;
    Cpu* home;
    VirtAddr entry;
    u64 argument;
    u64 frame_quota;
    char name[16];
    EnvId creator;
};
void initialise_environments();                                       ///< Once, at boot.
Result<u64> check_environment_slot();                                 ///< A free index.  Errors: exhausted.
Environment& commit_environment(u64 index, const EnvironmentPlan& plan);
EnvId next_environment_id(u64 index);  ///< The id that `commit_environment` will give it.

/// Its save area and its repossession vector, if it has them, are ordinary frames again.
void release_written_pages(const Environment& env);

/// End it: everything that it held goes back; whoever lived in its memory ends too. If nobody runs afterwards
/// (Cpu::env), the caller goes on with run_next_slot.
void end_environment(Environment& env, const EndReason& reason);

/// End the running environment and run somebody else.
[[noreturn]] void end_current(const EndReason& reason);
/// Whoever is left can never run: end them all, saying why.
[[noreturn]] void end_stranded_environments(const char* why);

u64 environments_failed();   ///< How many ended in any way but exit code 0, or were never started.
void count_failed_start();

/// Whose COM3 is; zero: nobody's.
EnvId console_owner();
void give_console(EnvId id);

extern SaveArea no_save_area;

}  // namespace tessera::kernel
