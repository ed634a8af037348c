// The caller's side of protected control transfer: gates bound to entry points of others, and calls through them.
#pragma once

#include "exokernel/abi/capability.hpp"
#include "libos/core/call.hpp"
#include "libos/transfer/message.hpp"

extern "C" tessera::Error libos_transfer(tessera::u64 gate, tessera::libos::Message* message, tessera::u64 number);

namespace tessera::libos {

/// A bound gate: a small number, and who is behind it. Copies lead to the same place.
class Gate {
  public:
    constexpr Gate() = default;

    /// Bind a free gate to the entry point that `entry` names: the kernel checks it here, once.
    /// Errors: exhausted (all kGatesPerEnvironment are in use), capability's, ended (nobody is there any more).
    static Result<Gate> open(const Capability& entry);

    /// The gate leads nowhere again, and is free.
    void close();

    /// Transfer control, and wait for the answer, which replaces the message.
    /// Errors: not_found, busy, elsewhere (nothing happened there); ended (it may have). The message is kept then.
    Error call(Message& message) const { return libos_transfer(number_, &message, TransferCall::number); }

    /// One way: the callee runs on the rest of the slice; nothing comes back.  Errors: not_found, busy, elsewhere.
    Error send(Message message) const { return libos_transfer(number_, &message, TransferSend::number); }

    /// As `call` and `send`, but a callee that is busy gets the CPU, to become free, until the TSC reaches `deadline`.
    /// Errors: busy is what a cycle of calls ends with: nobody in it can ever become free.
    Error call_patiently(Message& message, u64 deadline) const;
    Error send_patiently(Message message, u64 deadline) const;

    /// Note events with whoever is behind the gate; wakes it up if it waits for one of them.
    Outcome notify(u64 events) const;

    EnvId callee() const { return callee_; }
    constexpr explicit operator bool() const { return static_cast<bool>(callee_); }

  private:
    template <class Transfer>
    Error patiently(u64 deadline, Transfer transfer) const;

    constexpr Gate(u64 number, EnvId callee) : number_(number), callee_(callee) {}

    u64 number_ = kGatesPerEnvironment;  ///< No gate: calls answer not_found.
    EnvId callee_;
};

}  // namespace tessera::libos
