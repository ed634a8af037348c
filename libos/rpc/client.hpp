// What every generated client is made of: the gate, the window, and the checks on what comes back.
//
// Whatever goes wrong is an error of the call:
//
//   not_found      nobody is there (any more): the gate leads nowhere
//   busy           the server serves somebody else and did not get done in time, or waits for us: nothing has happened
//   ended          the server ended or withdrew in the middle: it may have been done, or not
//   conflict       the server has another interface or version
//   unknown_call   no such procedure
//   out_of_range   more bytes than agreed on, in one direction or the other
//   bad_argument   a value that its type cannot have, in one direction or the other
//   not_mapped     the server could not bind our window, or has lost it
//   and what the procedure itself answers
#pragma once

#include <string_view>

#include "libos/core/preemption.hpp"
#include "libos/ipc/shared_memory.hpp"
#include "libos/rpc/protocol.hpp"
#include "libos/transfer/gate.hpp"

namespace tessera::libos {

class RpcClient {
  public:
    RpcClient(const RpcClient&) = delete;
    RpcClient& operator=(const RpcClient&) = delete;

    /// Bind to the server behind `entry`: one gate, and with bytes in the interface the window's frames, which the client
    /// pays for.  Errors: those above, Gate::open's, SharedMemory::create's, post's.
    Outcome open(const Capability& entry);
    /// The same with what `environment` has posted as `name`, waiting for that until `deadline` (TSC; 0: for ever).
    Outcome open(std::string_view environment, std::string_view name, u64 deadline = 0);
    /// Tell the server, and give gate and window back.
    void close();

    EnvId server() const { return gate_.callee(); }

    /// For how many ticks of the TSC a busy server is given the CPU before it is an error; at first 64 quanta.
    void set_patience(u64 ticks) { patience_ = ticks; }

  protected:
    explicit constexpr RpcClient(const Interface& interface) : interface_(interface) {}

    /// A message for a procedure. Hot: here as in the rest of a call no SSE register is touched, in libos.a by its flags; with
    /// one in use every transfer would take the kernel's slow path, which keeps them.
    Message request(u64 procedure) const;
    /// Call, and see what the answer says of itself.
    Outcome transfer(Message& message);
    Outcome send(const Message& message);
    /// Bytes of an argument into the window; `length` is what goes over.
    Outcome put(u64& length, std::span<const u8> bytes, u64 most, u64 offset);
    /// Bytes of a result out of the window.
    template <u64 most>
    Outcome get(Bytes<most>& to, u64 length, u64 offset) {
        if (window_.size() == 0) return Error::not_mapped;
        TRY(copy_from_window(to, length, window_.bytes() + offset));
        return window_.lost() ? Outcome(Error::not_mapped) : Done{};
    }

  private:
    Outcome introduce();
    Error wait_for_turn(Message& message, u64 header);

    const Interface& interface_;
    Gate gate_;
    SharedMemory window_;
    u64 patience_ = kAny;  ///< kAny: not set.
};

}  // namespace tessera::libos
