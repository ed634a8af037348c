#include "exokernel/core/wake.hpp"

#include "exokernel/arch/x86_64/cpu.hpp"
#include "exokernel/arch/x86_64/kernel_memory.hpp"
#include "exokernel/arch/x86_64/registers.hpp"
#include "exokernel/core/environment.hpp"
#include "exokernel/core/exclusion.hpp"
#include "exokernel/core/transfer.hpp"
#include "exokernel/core/upcalls.hpp"
#include "exokernel/core/user_memory.hpp"

namespace tessera::kernel {
namespace {

constexpr u64 kInformationEnd = kInformation + (u64{1} << 39);  // a root entry of its own

/// Where the kernel finds a word that a libOS can read: in a page of its own, or in the information pages. Behind
/// nullptr lies nothing.
const volatile u64* word_at(Context& context, VirtAddr word) {
    if (word.value >= kInformation) return published(word);
    // Safety: every term is aligned, so the word lies in one page.
    return reinterpret_cast<const volatile u64*>(reach(context, word, false));
}

bool is_due(Environment& env, const WakeCondition& condition) {
    if (condition.deadline != 0 && read_tsc() >= condition.deadline) return true;
    if (__atomic_load_n(&env.info->events, __ATOMIC_RELAXED) & condition.events) return true;
    return any_clause_holds(condition.terms, condition.count, [&env](VirtAddr word) { return word_at(*env.context, word); });
}

/// The events that it asked for and that have come; they are taken.
u64 take_events(Environment& env) {
    return __atomic_fetch_and(&env.info->events, ~env.wake.events, __ATOMIC_ACQ_REL) & env.wake.events;
}

Outcome check_wait(Environment& env, const Wait::Args& args, WakeCondition& condition) {
    if (args.count > kMaxWakeTerms) return Error::bad_argument;
    if (args.count == 0 && args.deadline == 0 && args.events == 0) return Error::bad_argument;
    if (args.count != 0) TRY(copy_in(*env.context, condition.terms, args.terms, args.count * sizeof(WakeTerm)));
    TRY(check_terms(condition.terms, args.count));
    for (u64 i = 0; i < args.count; ++i)
        if (const VirtAddr word = condition.terms[i].word; word.value % 8 != 0 || word.value >= kInformationEnd)
            return Error::bad_address;
    condition.count = args.count;
    condition.deadline = args.deadline;
    condition.events = args.events;
    return Done{};
}

}  // namespace

Result<u64> wait(Cpu& cpu, const Wait::Args& args, const TrapFrame& frame) {
    Environment& env = *cpu.env;
    TRY(check_wait(env, args, env.wake));
    if (is_due(env, env.wake)) return take_events(env);

    suspend(env, frame);
    env.resume = Resume::sleeping;
    leave_cpu(cpu);
}

bool wake_if_due(Environment& env) {
    if (!is_due(env, env.wake)) return false;
    env.frame.regs.rax = static_cast<u64>(Error::ok);
    env.frame.regs.rdx = take_events(env);
    env.resume = Resume::full;
    return true;
}

void kick(Environment& env) {
    if (__atomic_load_n(&env.in_guest, __ATOMIC_SEQ_CST))
        interrupt_cpu(*env.home);
    else
        wake_cpu(*env.home);
}

void interrupt_wait(Environment& env) {
    look_again(*env.home);
    if (env.resume == Resume::sleeping) {
        env.frame.regs.rax = static_cast<u64>(Error::interrupted);
        env.frame.regs.rdx = 0;
        env.resume = Resume::full;
    } else if (env.caller == kWaitsForCall) {
        env.caller = nullptr;
        fail_here(env, Error::interrupted);
    }
}

}  // namespace tessera::kernel
