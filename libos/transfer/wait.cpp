// A peer that has ended changes nothing any more. Its place in the environment table says so: one term more.
#include "libos/transfer/wait.hpp"

#include <algorithm>
#include <array>
#include <atomic>

#include "libos/core/program.hpp"
#include "libos/transfer/board.hpp"

namespace tessera::libos {
namespace {

/// What the kernel would say of one term.
bool holds(const WakeTerm& term) {
    const u64 now = std::atomic_ref(*reinterpret_cast<u64*>(term.word.value)).load(std::memory_order_acquire) & term.mask;
    switch (term.comparison) {
        case Comparison::equal: return now == term.value;
        case Comparison::not_equal: return now != term.value;
        case Comparison::less: return now < term.value;
        case Comparison::greater_or_equal: return now >= term.value;
    }
    return true;
}

}  // namespace

Result<u64> sleep_until_any(std::span<const WakeTerm> terms, u64 deadline, u64 events) {
    const auto woken = call<Wait>({VirtAddr{reinterpret_cast<u64>(terms.data())}, terms.size(), deadline, events});
    if (!woken.ok() && woken.error() == Error::interrupted) return u64{0};
    return woken;
}

Outcome sleep_for_peer(EnvId peer, std::span<const WakeTerm> terms, u64 deadline, u64 events) {
    if (terms.size() >= kMaxWakeTerms) return Error::bad_argument;
    if (peer && call<Yield>({peer}).ok() && std::any_of(terms.begin(), terms.end(), holds)) return Done{};
    std::array<WakeTerm, kMaxWakeTerms> all;
    auto end = std::copy(terms.begin(), terms.end(), all.begin());
    if (peer) *end++ = {address(environment_info(peer).id), ~u32{0}, peer.value, Comparison::not_equal, 1};
    TRY(sleep_until_any({all.begin(), end}, deadline, events));
    if (!is_alive(peer)) return Error::ended;
    if (deadline != kForever && ticks() >= deadline) return Error::asleep;
    return Done{};
}

}  // namespace tessera::libos
