// Sleeping: what a sleeping environment waits for, and who looks whether it has come. Nobody is told that a word has
// changed: a predicate is evaluated when the sleeper's turn comes, so waking costs the one who writes nothing
// (the wakeup predicates of ExOS: Kaashoek et al., SOSP 1997, 5.1; here without code to be trusted).
#pragma once

#include "exokernel/abi/result.hpp"
#include "exokernel/abi/transfer.hpp"

namespace tessera::kernel {

struct Environment;

/// What `wait` was given, checked.
struct WakeCondition {
    WakeTerm terms[kMaxWakeTerms];
    u64 count;
    u64 deadline;  ///< TSC; 0: none.
    u64 events;
};

constexpr bool compares(u64 left, Comparison comparison, u64 right) {
    switch (comparison) {
        case Comparison::equal: return left == right;
        case Comparison::not_equal: return left != right;
        case Comparison::less: return left < right;
        case Comparison::greater_or_equal: return left >= right;
    }
    return false;
}

/// Terms that `any_clause_holds` can evaluate: known comparisons, and the last one ends its clause.  Errors: bad_argument.
constexpr Outcome check_terms(const WakeTerm* terms, u64 count) {
    for (u64 i = 0; i < count; ++i)
        if (terms[i].comparison > Comparison::greater_or_equal || terms[i].ends_clause > 1) return Error::bad_argument;
    if (count != 0 && terms[count - 1].ends_clause == 0) return Error::bad_argument;
    return Done{};
}

/// The disjunction of the clauses. `word_at` answers where the kernel finds the word at a user address, or nullptr: then
/// the term holds, as the sleeper alone can find out what became of its page.  Cost: one read a term, at most.
template <class WordAt>
constexpr bool any_clause_holds(const WakeTerm* terms, u64 count, WordAt&& word_at) {
    bool clause = true;
    for (u64 i = 0; i < count; ++i) {
        if (clause) {
            const volatile u64* word = word_at(terms[i].word);
            clause = word == nullptr || compares(*word & terms[i].mask, terms[i].comparison, terms[i].value);
        }
        if (terms[i].ends_clause == 0) continue;
        if (clause) return true;
        clause = true;
    }
    return false;
}

/// For a sleeper: if what it waits for has come, it is runnable and its `wait` answered.
bool wake_if_due(Environment& env);
/// An upcall is due to an environment that sleeps or is open for calls: it becomes runnable, its `wait` or `answer` returns
/// Error::interrupted. Others go on as they were, also those that wait for an answer.
void interrupt_wait(Environment& env);
/// Something that `env` may wait for has happened: should its CPU be halted, it looks again.
void kick(Environment& env);

}  // namespace tessera::kernel
