// One template for every system call. The descriptors in exokernel/abi/syscalls.hpp say everything: the words
// of `Args` go into registers as they are, rdx comes back as `Reply`.
//
// A pointer among the arguments may name memory whose page is not bound just now. The kernel then changes
// nothing and answers with the address; `call` has the page bound by whoever handles page faults, and calls
// again. So capabilities and texts may lie in demand-paged memory.
#pragma once

#include <array>
#include <bit>

#include "exokernel/abi/result.hpp"
#include "exokernel/abi/syscalls.hpp"

namespace tessera::libos {

/// What comes back in rax and rdx.
struct Answer {
    Error error;
    u64 value;
};

/// Have the page at `address` bound for an access (bits of AccessKind). False: nobody knows that page. The
/// program's fault policy answers (upcalls.hpp).
bool make_bound(VirtAddr address, u64 access);
/// The same, as a guaranteed mapping: for one that keeps being displaced (collisions.hpp).
bool make_pinned(VirtAddr address, u64 access);

/// The address of something, as a system call takes it.
template <class T>
VirtAddr address(const T& thing) {
    return VirtAddr{reinterpret_cast<u64>(&thing)};
}

#if __STDC_HOSTED__
/// On the host (unit tests) there is no kernel below: the test is it.
Answer host_kernel(u64 number, const std::array<u64, 5>& words);
#endif

/// `yield` keeps rsp and nothing else: a call of its own, so that the compiler knows what is gone.
Answer enter_yield(EnvId target);

template <class Args>
inline constexpr u64 kWords = std::is_empty_v<Args> ? 0 : sizeof(Args) / 8;

/// A word that nobody reads, at no cost. Volatile: hoisted out of a loop it would have to be moved into place.
[[gnu::always_inline]] inline u64 unused_word() {
    u64 anything;
    asm volatile("" : "=r"(anything));
    return anything;
}

/// The words of `args`, member by member: a bit_cast of the whole would go through memory.
template <class Args>
[[gnu::always_inline]] inline std::array<u64, 5> words_of([[maybe_unused]] const Args& args) {
    constexpr auto word = [](const auto& member) { return std::bit_cast<u64>(member); };
    if constexpr (kWords<Args> == 0) {
        return {unused_word(), unused_word(), unused_word(), unused_word(), unused_word()};
    } else if constexpr (kWords<Args> == 1) {
        const auto& [a] = args;
        return {word(a), unused_word(), unused_word(), unused_word(), unused_word()};
    } else if constexpr (kWords<Args> == 2) {
        const auto& [a, b] = args;
        return {word(a), word(b), unused_word(), unused_word(), unused_word()};
    } else if constexpr (kWords<Args> == 3) {
        const auto& [a, b, c] = args;
        return {word(a), word(b), word(c), unused_word(), unused_word()};
    } else if constexpr (kWords<Args> == 4) {
        const auto& [a, b, c, d] = args;
        return {word(a), word(b), word(c), word(d), unused_word()};
    } else {
        const auto& [a, b, c, d, e] = args;
        return {word(a), word(b), word(c), word(d), word(e)};
    }
}

/// Into the kernel and back, once.  Hot: inlined, this is the moves that are needed and `syscall`.
template <class Call>
[[gnu::always_inline]] inline Answer enter_kernel(const typename Call::Args& args) {
    const std::array<u64, 5> words = words_of(args);
#if __STDC_HOSTED__
    return host_kernel(Call::number, words);
#else
    u64 rax = Call::number, rdi = words[0], rsi = words[1], rdx = words[2];
    register u64 r8 asm("r8") = words[3];
    register u64 r9 asm("r9") = words[4];
    // Safety: clobbers as in syscalls.hpp; "memory", as arguments may point at what the kernel reads or writes.
    asm volatile("syscall"
                 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r8), "+r"(r9)
                 :
                 : "rcx", "r10", "r11", "memory", "cc");
    return {static_cast<Error>(rax), rdx};
#endif
}

inline constexpr u64 kMaxRetries = 16, kPinFrom = 6;

/// Bind what the kernel missed and call again; more than one page can be missing. Readable at first, writable when
/// that was not enough, and where two pages displace each other, pinned.
template <class Call>
[[gnu::cold, gnu::noinline]] Answer call_again(typename Call::Args args, Answer answer) {
    VirtAddr last{kAny};
    for (u64 i = 0; i < kMaxRetries && answer.error == Error::not_mapped; ++i) {
        const VirtAddr missing{answer.value};
        const u64 access = missing == last ? static_cast<u64>(AccessKind::write) : 0;
        if (!(i < kPinFrom ? make_bound(missing, access) : make_pinned(missing, access))) return answer;
        last = missing;
        answer = enter_kernel<Call>(args);
    }
    return answer;
}

/// Make a system call: `call<FrameAlloc>({.first = {kAny}, .count = 4, ...})`. The reply or the kernel's error.
/// Cost: the crossing, and a compare and branch for each way out.
template <class Call>
inline Result<typename Call::Reply> call(const typename Call::Args& args = {}) {
    using Reply = typename Call::Reply;
    Answer answer;
    if constexpr (std::is_same_v<Call, Yield>)
        answer = enter_yield(args.target);
    else
        answer = enter_kernel<Call>(args);
    if (answer.error != Error::ok) [[unlikely]] {
        if (answer.error == Error::not_mapped) answer = call_again<Call>(args, answer);
        if (answer.error != Error::ok)
            return Failure{answer.error, answer.value};
    }
    if constexpr (std::is_empty_v<Reply>)
        return Reply{};
    else
        return std::bit_cast<Reply>(answer.value);
}

}  // namespace tessera::libos
