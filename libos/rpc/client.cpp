// The client's half of a remote procedure call.
#include "libos/rpc/client.hpp"

#include "libos/core/program.hpp"
#include "libos/transfer/board.hpp"

namespace tessera::libos {
namespace {

constexpr u64 kPatientQuanta = 64;

/// What an answer says of itself; a server can write anything there.
Outcome outcome_in(const Message& message) {
    if (message.word[0] == 0) return Done{};
    return message.word[0] < kErrorCount ? static_cast<Error>(message.word[0]) : Error::bad_argument;
}

}  // namespace

Outcome RpcClient::open(const Capability& entry) {
    if (gate_) return Error::bad_argument;
    gate_ = TRY(Gate::open(entry));
    if (patience_ == kAny) patience_ = kPatientQuanta * information().quantum;
    const Outcome introduced = introduce();
    if (!introduced.ok()) close();
    return introduced;
}

Outcome RpcClient::open(std::string_view environment, std::string_view name, u64 deadline) {
    return open(TRY(await_post(environment, name, deadline)));
}

// The window goes by the board: a capability with its caveats is more than a message.
Outcome RpcClient::introduce() {
    const u64 pages = interface_.window_pages();
    Message message = request(kOpenProcedure);
    if (pages == 0) return transfer(message);
    TRY(window_.create(pages));
    TRY(post(kWindowPost, TRY(window_.grant(gate_.callee(), Right::read | Right::write))));
    message.word[1] = 1;
    const Outcome opened = transfer(message);
    take_down(kWindowPost);
    return opened;
}

void RpcClient::close() {
    Message message = request(kCloseProcedure);
    if (gate_) static_cast<void>(transfer(message));
    window_.detach();
    gate_.close();
}

Message RpcClient::request(u64 procedure) const {
    Message message;
    message.word[0] = interface_.header(procedure);
    return message;
}

Outcome RpcClient::transfer(Message& message) {
    const u64 header = message.word[0];
    Error error = gate_.call(message);
    if (error == Error::busy || message.word[0] == kTurnedAway) [[unlikely]]
        error = wait_for_turn(message, header);
    if (error != Error::ok) return error;
    return outcome_in(message);
}

// Who serves somebody else gets the CPU, to get done; it may wait for a third in turn, or for calls: then whoever can run.
Error RpcClient::wait_for_turn(Message& message, u64 header) {
    const u64 deadline = ticks() + patience_;
    for (;;) {
        if (ticks() >= deadline) return Error::busy;
        if (const Outcome told = gate_.notify(waiting_event(boot().self)); !told.ok()) return told.error();
        if (!call<Yield>({gate_.callee()}).ok()) static_cast<void>(call<Yield>());
        message.word[0] = header;
        const Error error = gate_.call(message);
        if (error != Error::busy && message.word[0] != kTurnedAway) return error;
    }
}

Outcome RpcClient::send(const Message& message) {
    const Error error = gate_.send_patiently(message, ticks() + patience_);
    return error == Error::ok ? Outcome(Done{}) : error;
}

Outcome RpcClient::put(u64& length, std::span<const u8> bytes, u64 most, u64 offset) {
    if (bytes.size() > most) return Error::out_of_range;
    if (window_.size() == 0) return Error::not_mapped;
    std::memcpy(window_.bytes() + offset, bytes.data(), bytes.size());
    length = bytes.size();
    return window_.lost() ? Outcome(Error::not_mapped) : Done{};
}

}  // namespace tessera::libos
