// The callee's side of protected control transfer: entry points for others, and the wait for calls.
#pragma once

#include "exokernel/abi/capability.hpp"
#include "libos/core/call.hpp"
#include "libos/transfer/message.hpp"

extern "C" {
void libos_entry();
[[noreturn]] void libos_serve();
}

namespace tessera::libos {

/// What stands behind an entry point. Its address is the word that the kernel delivers, so a caller can reach only what
/// was published. Must stay where it is while it is published.
class Service {
  public:
    /// Called for every call and send: the message becomes the answer. Who calls is the kernel's word. Runs on the stack
    /// that `serve` was called on, as ordinary code: it may fault, make calls, and call others.
    using Handler = void (*)(Service&, Sender, Message&);
    explicit constexpr Service(Handler function) : handler(function) {}
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    /// Make it an entry point at `place`, below kEntriesPerEnvironment. The capability (rights: call, release) is for
    /// whoever shall call: post it (board.hpp), or hand it over.  Errors: entry_publish's.
    Result<Capability> publish(u64 place) {
        Capability entry;
        TRY(call<EntryPublish>({place, VirtAddr{reinterpret_cast<u64>(&libos_entry)}, address(*this).value, address(entry)}));
        return entry;
    }

    const Handler handler;  ///< Called by transfer.S.
};
static_assert(offsetof(Service, handler) == 0);

/// Wait for calls from here on, on this stack. Ends only with the environment: a handler may call exit().
[[noreturn]] inline void serve() { libos_serve(); }

}  // namespace tessera::libos
