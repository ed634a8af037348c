// What every generated server is made of: it finds the caller's window, lets the procedure be called with arguments that
// were copied and checked, and answers.
#pragma once

#include <array>
#include <string_view>

#include "libos/ipc/shared_memory.hpp"
#include "libos/rpc/protocol.hpp"
#include "libos/transfer/service.hpp"

namespace tessera::libos {

/// One call as the generated code sees it. Everything in the message and the window was written by the caller.
class RpcCall {
  public:
    RpcCall(EnvId caller, Message& message, SharedMemory* window) : caller_(caller), message_(message), window_(window) {}

    /// Who calls: the kernel's word.
    EnvId caller() const { return caller_; }

    template <std::integral T>
    Result<T> scalar(u64 word) const {
        return from_word<T>(message_.word[word]);
    }
    /// A copy of an argument that is bytes: what is checked is what is used.
    template <u64 most>
    Outcome get(Bytes<most>& to, u64 word, u64 offset) {
        if (window_ == nullptr) return Error::not_mapped;
        TRY(copy_from_window(to, message_.word[word], window_->bytes() + offset));
        return window_->lost() ? Outcome(Error::not_mapped) : Done{};
    }
    void answer(u64 word, u64 value) { message_.word[word] = value; }
    template <u64 most>
    Outcome put(const Bytes<most>& from, u64 word, u64 offset) {
        if (window_ == nullptr) return Error::not_mapped;
        std::memcpy(window_->bytes() + offset, from.view().data(), from.length());
        answer(word, from.length());
        return window_->lost() ? Outcome(Error::not_mapped) : Done{};
    }

  private:
    EnvId caller_;
    Message& message_;
    SharedMemory* window_;
};

class RpcServer : public Service {
  public:
    /// Clients with a window at a time. A client that ends makes room.
    static constexpr u64 kMaxClients = 16;

    /// Publish at `place` and post the capability for everybody as `name`. Then serve().
    Outcome publish(std::string_view name, u64 place = 0);

  protected:
    explicit constexpr RpcServer(const Interface& interface) : Service(on_call), interface_(interface) {}
    ~RpcServer() = default;

    /// Find the procedure and call it: generated. Errors: unknown_call, and whatever goes to the client.
    virtual Outcome dispatch(u64 procedure, RpcCall& call) = 0;

  private:
    struct Client {
        EnvId env;
        SharedMemory window;
    };

    static void on_call(Service& service, Sender sender, Message& message);
    Outcome answer_to(EnvId caller, Message& message);
    bool must_wait(EnvId caller);
    Outcome open(EnvId caller, bool has_window);
    Client* find(EnvId caller);
    Client* find_room(EnvId caller);

    const Interface& interface_;
    EnvId last_, turned_away_;  ///< Who had the last turn; who has had to let others go first.
    std::array<Client, kMaxClients> clients_{};
};

}  // namespace tessera::libos
