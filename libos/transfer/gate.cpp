// Which gates are in use is the libOS's own affair: one bit each.
#include "libos/transfer/gate.hpp"

#include <bit>

#include "libos/core/preemption.hpp"
#include "libos/core/program.hpp"

namespace tessera::libos {
namespace {

constinit u32 gates_in_use = 0;
static_assert(kGatesPerEnvironment <= 32);

constinit const Capability kNowhere{};

}  // namespace

Result<Gate> Gate::open(const Capability& entry) {
    const EnvId callee{environment_info(EnvId{entry.first / kEntriesPerEnvironment % kMaxEnvironments}).id};
    if (!callee) return Error::ended;
    NoPreemption guard;
    const u64 number = static_cast<u64>(std::countr_one(gates_in_use));
    if (number >= kGatesPerEnvironment) return Error::exhausted;
    TRY(libos::call<GateBind>({address(entry), number}));
    gates_in_use |= 1u << number;
    return Gate(number, callee);
}

void Gate::close() {
    if (number_ >= kGatesPerEnvironment) return;
    NoPreemption guard;
    // A gate that leads nowhere already is as good.
    static_cast<void>(libos::call<GateBind>({address(kNowhere), number_}));
    gates_in_use &= ~(1u << number_);
    *this = Gate();
}

template <class Transfer>
Error Gate::patiently(u64 deadline, Transfer transfer) const {
    // Slices are as long as each other, and so may somebody else's calls be: who came back after always the same time could find them
    // in the middle of one for ever. So it is a little later each time.
    constexpr u64 kMostWaits = 64;
    for (u64 waits = 0;; waits = (waits + 1) % kMostWaits) {
        const Error error = transfer();
        if (error != Error::busy || ticks() >= deadline) return error;
        for (u64 i = 0; i < waits; ++i) asm volatile("pause");
        // It may not be able to run just now, as it waits for somebody else in turn: then whoever can.
        if (!libos::call<Yield>({callee_}).ok()) static_cast<void>(libos::call<Yield>());
    }
}

Error Gate::call_patiently(Message& message, u64 deadline) const {
    return patiently(deadline, [&] { return call(message); });
}

Error Gate::send_patiently(Message message, u64 deadline) const {
    return patiently(deadline, [&] { return send(message); });
}

Outcome Gate::notify(u64 events) const {
    TRY(libos::call<Notify>({number_, events}));
    return Done{};
}

}  // namespace tessera::libos
