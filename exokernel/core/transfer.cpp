#include "exokernel/core/transfer.hpp"

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/switch.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/kernel.hpp"
#include "exokernel/core/slots.hpp"
#include "exokernel/core/wake.hpp"

namespace tessera::kernel {

Environment nobody;

namespace {

bool on_one_cpu(const Environment& a, const Environment& b) { return a.home == b.home; }

/// Whoever waits for an answer of `env` gets an error instead.
void fail_caller(Environment& env, Error error) {
    if (env.caller == nullptr || env.caller == kWaitsForCall) return;
    fail_here(*env.caller, error);
    env.caller = nullptr;
}

/// Whoever serves a call of `env` has nobody to answer.
void forget_caller(Environment& env) {
    for (Environment* other : environments)
        if (other != nullptr && other->caller == &env) other->caller = nullptr;
}

/// Call `each(other, gate)` for every gate that leads to `env`.
template <class Each>
void for_each_gate_to(const Environment& env, Each&& each) {
    for (Environment* other : environments)
        for (u64 gate = 0; other != nullptr && gate < kGatesPerEnvironment; ++gate)
            if (other->gates.target[gate].env == env.id.value) each(*other, gate);
}

void refresh_gate(Environment& env, u64 gate, Environment& callee) {
    env.gates.callee[gate] = on_one_cpu(env, callee) ? &callee : &nobody;
}

/// On in `next`, whose registers are all in its frame, in the rest of the slice. In the grace behind a slice there is no
/// rest: then it goes on in a slice to come.
[[noreturn]] void hand_over(Cpu& cpu, Environment& next) {
    if (cpu.in_grace()) leave_cpu(cpu);
    switch_to(cpu, next);
    resume_quietly(next);
}

}  // namespace

void initialise_gates(Environment& env) {
    for (u64 gate = 0; gate < kGatesPerEnvironment; ++gate) commit_no_gate(env, gate);
}

void commit_gate(Environment& env, u64 gate, Environment& callee, u64 place) {
    env.gates.rip[gate] = callee.entries[place].rip;
    env.gates.word[gate] = callee.entries[place].word;
    env.gates.target[gate] = {static_cast<u32>(callee.id.value), static_cast<u32>(place)};
    refresh_gate(env, gate, callee);
}

void commit_no_gate(Environment& env, u64 gate) {
    env.gates.callee[gate] = &nobody;
    env.gates.target[gate] = {};
}

Result<Environment*> check_entry(const Capability& shown) {
    Environment* env = environment_at(shown.first / kEntriesPerEnvironment);
    if (env == nullptr || env->entries[shown.first % kEntriesPerEnvironment].grant != shown.grant) return Error::stale_capability;
    return env;
}

Result<Environment*> check_gate(const Environment& env, u64 gate) {
    if (gate >= kGatesPerEnvironment || env.gates.target[gate].env == 0) return Error::not_found;
    return find_environment(EnvId{env.gates.target[gate].env});  // it lives: else the gate would lead nowhere
}

void commit_withdrawal(Environment& env, u64 place) {
    env.entries[place] = {};
    for_each_gate_to(env, [&](Environment& other, u64 gate) {
        if (other.gates.target[gate].place != place) return;
        if (env.caller == &other && other.called == gate) fail_caller(env, Error::ended);
        commit_no_gate(other, gate);
    });
}

void leave_transfers(Environment& env) {
    fail_caller(env, Error::ended);
    forget_caller(env);
    for_each_gate_to(env, commit_no_gate);
    for (u64 i = 0; i < kPostsPerEnvironment; ++i) board[env.id.index() * kPostsPerEnvironment + i] = {};
}

void refresh_gates(Environment& env) {
    for (u64 gate = 0; gate < kGatesPerEnvironment; ++gate)
        if (const auto callee = check_gate(env, gate); callee.ok()) {
            refresh_gate(env, gate, *callee.value());
            if (callee.value()->caller == &env && !on_one_cpu(env, *callee.value())) fail_caller(*callee.value(), Error::elsewhere);
        }
    for_each_gate_to(env, [&](Environment& other, u64 gate) {
        refresh_gate(other, gate, env);
        if (env.caller == &other && !on_one_cpu(env, other)) fail_caller(env, Error::elsewhere);
    });
}

void fail_here(Environment& env, Error error) {
    look_again(*env.home);
    env.frame = TrapFrame{};
    env.frame.entry = {env.resume_rip, SELECTOR_USER_CODE, USER_RFLAGS, env.resume_rsp, SELECTOR_USER_DATA};
    env.frame.regs.rax = static_cast<u64>(error);
    env.fs_base = env.gs_base = 0;
    env.resume = Resume::full;
}

Environment& end_of_calls(const Cpu& cpu, Environment& env) {
    Environment* at = &env;
    // Whoever is called was waiting for a call: no chain closes on itself, and it ends at the latest with the last of us.
    while (at->resume == Resume::calling && at != cpu.env) at = check_gate(*at, at->called).value();
    return *at;
}

Environment* runnable(Cpu& cpu, Environment& env) {
    if (env.home != &cpu) return nullptr;
    Environment& last = end_of_calls(cpu, env);
    if (&last == cpu.env) return &last;
    if ((last.untold | last.bereaved) != 0) [[unlikely]] interrupt_wait(last);  // it came while it ran, and it went to sleep
    if (last.resume == Resume::open) return nullptr;
    return last.resume != Resume::sleeping || wake_if_due(last) ? &last : nullptr;
}

void leave_cpu(Cpu& cpu) {
    const bool over = cpu.in_grace();
    if (over) charge_excess(cpu, false);
    account(cpu);
    cpu.env = nullptr;
    if (Environment* other = over ? nullptr : somebody_else(cpu, nullptr)) run(cpu, *other);
    run_next_slot(cpu);
}

Error transfer_slowly(Cpu& cpu, u64 gate, const TrapFrame& frame, bool one_way) {
    Environment& env = *cpu.env;
    const auto target = check_gate(env, gate);
    if (!target.ok()) return target.error();
    Environment& callee = *target.value();
    if (!on_one_cpu(env, callee)) return Error::elsewhere;
    if (callee.caller != kWaitsForCall) return Error::busy;

    ++env.info->transfers;
    env.resume_rip = frame.entry.rip;
    env.resume_rsp = frame.entry.rsp;
    env.resume = one_way ? env.when_yielded : Resume::calling;
    env.called = gate;
    callee.caller = one_way ? nullptr : &env;
    suspend(callee, frame);  // the message: all registers and bases, but for
    callee.frame.regs.rax = env.id.value | (one_way ? Sender::kOneWay : 0);
    callee.frame.regs.rdi = env.gates.word[gate];
    callee.frame.regs.rdx = 0;
    callee.frame.entry.rip = env.gates.rip[gate];
    callee.frame.entry.rsp = callee.resume_rsp;
    hand_over(cpu, callee);
}

void answer_slowly(Cpu& cpu, const TrapFrame& frame) {
    Environment& env = *cpu.env;
    Environment* const to = env.caller;
    env.resume_rip = frame.entry.rip;
    env.resume_rsp = frame.entry.rsp;
    env.resume = Resume::open;
    env.caller = kWaitsForCall;
    if (to == nullptr) leave_cpu(cpu);
    suspend(*to, frame);
    to->frame.regs.rax = static_cast<u64>(Error::ok);
    to->frame.regs.rdx = 0;
    to->frame.entry.rip = to->resume_rip;
    to->frame.entry.rsp = to->resume_rsp;
    hand_over(cpu, *to);
}

}  // namespace tessera::kernel
