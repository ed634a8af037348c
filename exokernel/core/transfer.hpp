// Protected control transfer: secure bindings to entry points of other environments, and the rare half of going
// through them (the frequent half: arch/x86_64/transfer.S). Source: Engler et al., SOSP 1995, 5.2; taking one call at a
// time and handing the slice along with it is Liedtke's (SOSP 1993).
//
//       bound once                        used
//   capability --> gate: callee, rip, word --> callee open? its caller := us; on at rip with our registers
//                    ^ emptied when the entry is withdrawn or its environment ends: there is nothing to go stale
//
// Invariant: env.caller is whom env's answer goes to, and that one has Resume::calling until then. The environment that
// runs may have a `resume` left over from when it last stopped; of all others it says how they go on.
#pragma once

#include "exokernel/abi/result.hpp"
#include "exokernel/abi/syscalls.hpp"
#include "exokernel/arch/x86_64/trap_frame.hpp"

namespace tessera::kernel {

struct Cpu;
struct Environment;

/// An entry point as it was published.
struct EntryPoint {
    u64 rip;
    u64 word;
    u64 grant;  ///< What a capability must carry; 0: nothing is published here.
};

/// The gates of an environment. A gate that nobody may go through fast has `nobody` for its callee.
struct Gates {
    struct Target {
        u32 env;    ///< EnvId; 0: the gate leads nowhere.
        u32 place;  ///< Of its entry point.
    };
    Environment* callee[kGatesPerEnvironment];
    u64 rip[kGatesPerEnvironment];
    u64 word[kGatesPerEnvironment];
    Target target[kGatesPerEnvironment];
};

/// As `Environment::caller`: there is none, a call may come.
inline Environment* const kWaitsForCall = reinterpret_cast<Environment*>(1);
/// Where gates lead that cannot be gone through fast: never waits for a call.
extern Environment nobody;

void initialise_gates(Environment& env);
void commit_gate(Environment& env, u64 gate, Environment& callee, u64 place);
void commit_no_gate(Environment& env, u64 gate);
/// The environment that published the entry point of a capability.  Errors: stale_capability.
Result<Environment*> check_entry(const Capability& shown);
/// The environment behind a gate.  Errors: not_found.
Result<Environment*> check_gate(const Environment& env, u64 gate);
/// Nothing is published there any more: gates lead nowhere, a caller who waits for an answer gets Error::ended.
void commit_withdrawal(Environment& env, u64 place);

/// `env` ends: its gates and all to it, its posts, and the calls that it makes and serves.
void leave_transfers(Environment& env);
/// `env` lives on another CPU than before: gates from and to it lead fast only where both are on one CPU, and calls
/// between two CPUs are broken off (Error::elsewhere).
void refresh_gates(Environment& env);

/// `env` goes on behind the call that it made last, with an error and nothing else in its registers.
void fail_here(Environment& env, Error error);
/// Who serves the call that `env` waits for, and the call that this one waits for, and so on; `env` itself if it does not call.
/// All of them live on `cpu`, if `env` does.
Environment& end_of_calls(const Cpu& cpu, Environment& env);
/// Who runs when a slot of `cpu` is `env`'s: itself, or whoever serves the call that it waits for, and so on; nullptr:
/// whoever that is sleeps, waits for a call, or lives on another CPU.  Cost: 64 steps at most, 8 terms at the last.
Environment* runnable(Cpu& cpu, Environment& env);
/// The environment that ran was put to rest: the CPU is for whoever can run.
[[noreturn]] void leave_cpu(Cpu& cpu);

/// The slow halves, from on_blocking_call: they come back only when nothing was changed, with the error.
Error transfer_slowly(Cpu& cpu, u64 gate, const TrapFrame& frame, bool one_way);
[[noreturn]] void answer_slowly(Cpu& cpu, const TrapFrame& frame);
/// `wait`: comes back with an error, or with events when there was nothing to wait for (wake.cpp).
Result<u64> wait(Cpu& cpu, const Wait::Args& args, const TrapFrame& frame);

}  // namespace tessera::kernel
