// Protected control transfer: into an entry point that another environment published, with the registers as the message
// (Engler et al., SOSP 1995, 5.2); and what a sleeping environment waits for.
//
//            rax               rdi     rcx, rdx, r11   rsp                  rsi rbx rbp r8 r9 r10 r12-r15, bases of FS and GS
//   caller   31 call, 33 send  gate    -               kept for the return  the message
//   callee   caller (Sender)   word    lost            as when it answered  as the caller left them
//   callee   32 answer         +       -               kept for the next    the answer (rdi too)
//   caller   Error             +       lost            as when it called    as the callee left them, if the error is `ok`
//
// Nothing is cleared: what is in a register goes over. SSE registers do not: they are kept, each side has its own. A call
// that fails at once leaves the message as it was. Behind a `send`, a `call` that was
// `ended` and an `answer` that was `interrupted`, rsp alone is kept, as behind a yield. The caller sleeps until the answer and the callee runs in its
// place, also in the caller's later slices. A callee takes one call at a time and answers `busy` to others, so no
// chain of calls can close on itself; more at a time is more environments over one context.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera {

/// What a callee finds in rax: who calls. The kernel says so, nobody can forge it.
struct Sender {
    u64 bits{};
    static constexpr u64 kOneWay = u64{1} << 32;
    constexpr EnvId env() const { return EnvId{bits & 0xffff'ffff}; }
    constexpr bool wants_answer() const { return !(bits & kOneWay); }
};

enum class Comparison : u32 { equal, not_equal, less, greater_or_equal };  ///< Unsigned.

/// One comparison of a wake-up predicate: (*word & mask) against value. Terms in a row are a conjunction up to and
/// with the one that ends its clause; the predicate is the disjunction of the clauses. Evaluated by the kernel when
/// the sleeper's slot comes, and now and then while a CPU has nothing to run. Cost: about 20 instructions a term.
struct WakeTerm {
    VirtAddr word;   ///< Aligned to 8, readable: of the sleeper's own pages, or of the kernel's information pages.
    u64 mask;
    u64 value;
    Comparison comparison;
    u32 ends_clause;  ///< 1: the next term begins another clause. The last term must have it.
};
static_assert(sizeof(WakeTerm) == 32);
inline constexpr u64 kMaxWakeTerms = 8;

}  // namespace tessera
