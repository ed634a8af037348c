// Guests: virtual CPUs of a monitor. The ABI is abi/guest.hpp; what either form needs of the machine is in
// arch/x86_64/svm.hpp and arch/x86_64/deprivileged.hpp.
//
// A guest is made of three frames of its environment's: the state page, which the monitor can write at any time, so
// that every word of it is read once; the control block, which only the kernel writes; and this structure.
#pragma once

#include "exokernel/abi/control_block.hpp"
#include "exokernel/abi/result.hpp"
#include "exokernel/abi/syscalls.hpp"
#include "exokernel/arch/x86_64/trap_frame.hpp"
#include "exokernel/core/frames.hpp"

namespace tessera::kernel {

struct Cpu;
struct Context;
struct Environment;

/// A word of the state page, which the monitor may be changing.
template <class T>
T read_once(const T& word) { return *static_cast<const volatile T*>(&word); }

constexpr bool is_canonical(u64 address) { return static_cast<u64>(static_cast<i64>(address << 16) >> 16) == address; }

struct Guest {
    GuestState* state;
    ControlBlock* block;
    GuestForm form;
    FrameRange memory;
    bool fresh;                  ///< Has not run, or something was refused: every proposal is looked at.
    // svm: what the monitor wants to hear of, before what the kernel wants is added.
    u32 intercept_cr;
    u32 intercept_exceptions;
    u64 intercept_instructions;
    u64 way;                     ///< Shadow paging? With a window? As the control block stands.
    Cpu* cpu;                    ///< Where it has its address-space tag,
    u64 asid_generation;         ///< of which generation,
    const Context* translated;   ///< for which context,
    u64 changes;                 ///< and how much of that had been taken away by then.
    // deprivileged: who is the monitor while it runs, in what a system call keeps.
    u64 monitor_kept[6];
    EntryFrame monitor;
    u64 monitor_fs, monitor_gs;
    u64 fs_base, gs_base;
    Context* contexts[kContextsPerGuest];
};
static_assert(sizeof(Guest) <= kPageSize);

/// `guest_run` of a guest in ring 3, and of none: if it does run, `frame` is the guest's afterwards. (With SVM: svm_call.)
Result<u64> run_guest(Cpu& cpu, const GuestRun::Args& args, TrapFrame& frame);
/// What is loaded there.  Errors: not_found.
Result<Context*> find_place(const Guest& guest, u64 place);

/// The running environment has room for one more: its number.  Errors: exhausted.
Result<u64> check_guest_slot(const Environment& env);
/// Frames that the environment owns become a guest.
void commit_guest(Environment& env, u64 number, GuestForm form, FrameRange memory);
void destroy_guest(Environment& env, u64 number);
/// May a guest run in a context of that kind?
bool fits(GuestForm form, const Context& context);
/// What was at that place before is unloaded; nullptr: nothing is there from now on. Everything is stopped.
void commit_load(Environment& env, Guest& guest, u64 place, Context* context);

/// Is a guest of `env`, if it still is one, still loaded with that context? Asked behind an Exclusive, which may have waited.
bool is_loaded(const Environment& env, const Guest& guest, const Context& context);
/// No guest of anybody's is loaded with it. Everything is stopped.
void unload_everywhere(const Context& context);
/// Is a guest of `env` loaded with a context in memory of `owner`?
bool runs_guest_in(const Environment& env, EnvId owner);
/// `env` ends: none of its guests is loaded with anything.
void leave_guests(Environment& env);
/// `env` lives on another CPU from now on. Everything is stopped.
void move_guests(Environment& env, Cpu& from, Cpu& to);

}  // namespace tessera::kernel
