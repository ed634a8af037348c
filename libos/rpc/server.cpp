// The server's half of a remote procedure call. Nothing that a client does is more than an error for that client.
#include "libos/rpc/server.hpp"

#include "libos/core/program.hpp"
#include "libos/transfer/board.hpp"
#include "libos/transfer/wait.hpp"

namespace tessera::libos {

Outcome RpcServer::publish(std::string_view name, u64 place) {
    return post(name, TRY(Service::publish(place)));
}

void RpcServer::on_call(Service& service, Sender sender, Message& message) {
    RpcServer& server = static_cast<RpcServer&>(service);
    const volatile u64& somebody_waits = accounts().events;
    if (somebody_waits != 0 && sender.wants_answer() && server.must_wait(sender.env())) [[unlikely]] {
        message.word[0] = kTurnedAway;
        return;
    }
    server.last_ = sender.env();
    message.word[0] = static_cast<u64>(server.answer_to(sender.env(), message).error());
}

// Who only says that it waits, or gave up since, costs another one more try: when nobody came while that one had to wait,
// all are forgotten, and who does wait says so again.
bool RpcServer::must_wait(EnvId caller) {
    const u64 own = waiting_event(caller);
    if (last_ == caller && (accounts().events & ~own) != 0) {
        turned_away_ = caller;
        last_ = {};
        return true;
    }
    const u64 over = accounts().events & (turned_away_ == caller ? kAny : own);
    if (over != 0) static_cast<void>(sleep_until_any({}, 0, over));
    turned_away_ = {};
    return false;
}

Outcome RpcServer::answer_to(EnvId caller, Message& message) {
    const u64 header = message.word[0], procedure = Interface::procedure_of(header);
    if (header != interface_.header(procedure)) return Error::conflict;
    Client* const client = find(caller);
    if (procedure < kCloseProcedure) [[likely]] {
        RpcCall call(caller, message, client != nullptr ? &client->window : nullptr);
        return dispatch(procedure, call);
    }
    if (client != nullptr) {
        client->window.detach();
        client->env = {};
    }
    return procedure == kOpenProcedure ? open(caller, message.word[1] != 0) : Done{};
}

Outcome RpcServer::open(EnvId caller, bool has_window) {
    if (interface_.window_pages() == 0) return Done{};
    if (!has_window) return Error::not_mapped;
    const Capability granted = TRY(find_post(caller, kWindowPost));
    Client* const client = find_room(caller);
    if (client == nullptr) return Error::exhausted;
    const Outcome attached = client->window.attach(granted, interface_.window_pages(), Right::read | Right::write);
    if (!attached.ok()) return Error::not_mapped;
    client->env = caller;
    return Done{};
}

RpcServer::Client* RpcServer::find(EnvId caller) {
    if (interface_.window_pages() == 0) return nullptr;
    // Most often it stands where its index says.
    Client& usual = clients_[caller.index() % kMaxClients];
    if (usual.env == caller) return &usual;
    for (Client& each : clients_)
        if (each.env == caller) return &each;
    return nullptr;
}

RpcServer::Client* RpcServer::find_room(EnvId caller) {
    for (u64 i = 0; i < kMaxClients; ++i) {
        Client& each = clients_[(caller.index() + i) % kMaxClients];
        if (each.env && is_alive(each.env)) continue;
        each.window.detach();
        each.env = {};
        return &each;
    }
    return nullptr;
}

}  // namespace tessera::libos
