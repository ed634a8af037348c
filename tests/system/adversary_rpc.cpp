// Hostile clients of an honest server, and an honest client of a hostile server. Whatever the one does, the other gets an
// error, or right answers, and lives; a bystander, who calls the same server all the while, notices nothing.
//
// Arguments: role=server, role=hostile_server, role=bystander or role=attacker
#include "libos/ipc/shared_memory.hpp"
#include "libos/transfer/board.hpp"
#include "libos/transfer/wait.hpp"
#include "secure_bindings/capability.hpp"
#include "tests/system/attack.hpp"
#include "tests/system/probe.rpc.hpp"

using namespace tessera;
using namespace tessera::attack;
using namespace tessera::rpc::probe;

namespace {

constexpr u64 kAdd = 0, kEcho = 1, kHalf = 2, kTurnAway = 3;

class Honest final : public Server {
  public:
    Result<u64> add(EnvId, u64 a, u64 b) override { return a + b; }
    Outcome echo(EnvId, std::span<const u8> data, Bytes<64>& answered) override {
        return answered.assign(data) ? Outcome(Done{}) : Error::out_of_range;
    }
    Result<u8> half(EnvId, u8 value) override { return static_cast<u8>(value / 2); }
    /// A cycle: the caller waits for us, and cannot be called.
    Result<u64> call_me_back(EnvId caller) override {
        Gate gate = TRY(Gate::open(TRY(find_post(caller, "me"))));
        Message message;
        const Error error = gate.call_patiently(message, ticks() + information().quantum);
        gate.close();
        return static_cast<u64>(error);
    }
    Outcome die(EnvId) override { libos::exit(0); }
    Outcome stop(EnvId) override { libos::exit(0); }
};

int be_server() {
    static Honest honest;
    use_shared_memory();
    if (!honest.publish("probe").ok()) return 1;
    serve();
}

/// What a hostile server answers to the calls that come, each lie to two of them; and then it ends in the middle of one.
constexpr u64 kLies[][2] = {{0, 65}, {0, kAny}, {9999, 0}, {0, u64{1} << 32 | 1}};

int be_hostile_server() {
    static u64 calls = 0;
    static Service service([](Service&, Sender, Message& message) {
        const u64 procedure = Interface::procedure_of(message.word[0]);
        message.word[0] = procedure == kTurnAway ? kTurnedAway : 0;
        if (procedure >= kCloseProcedure || procedure == kTurnAway) return;
        if (calls / 2 == std::size(kLies)) libos::exit(0);
        const u64* lie = kLies[calls++ / 2];
        message.word[0] = lie[0];
        message.word[1] = lie[1];
    });
    const auto entry = service.publish(0);
    if (!entry.ok() || !post("probe", entry.value()).ok()) return 1;
    serve();
}

int be_bystander() {
    static Client client;
    use_shared_memory();
    expect("bystander: open", client.open("server", "probe").error(), Error::ok);
    client.set_patience(kAny / 2);
    u64 state = 77;
    while (find_environment("attacker")) {
        const u64 a = random_word(state), b = random_word(state);
        const auto sum = client.add(a, b);
        // It ends when the attacker has it end.
        if (sum.error() == Error::ended || sum.error() == Error::not_found) break;
        expect_true("bystander: add", sum.ok() && sum.value() == a + b);
        Bytes<64> echoed;
        const std::span<const u8> some(reinterpret_cast<const u8*>(&state), 8);
        const Outcome outcome = client.echo(some, echoed);
        if (outcome.error() == Error::ended || outcome.error() == Error::not_found) break;
        expect_true("bystander: echo", outcome.ok() && std::ranges::equal(echoed.view(), some));
    }
    return verdict("bystander");
}

/// A client that writes its own messages.
class Forger {
  public:
    explicit Forger(const Capability& entry) : gate_(Gate::open(entry).value()) {}

    /// What the server says. Another client's turn is waited for, as often as it takes.
    Error call(u64 header, u64 one = 0, u64 two = 0) {
        for (;;) {
            message_ = {};
            message_.word[0] = header;
            message_.word[1] = one;
            message_.word[2] = two;
            const Error error = gate_.call_patiently(message_, kAny);
            if (error == Error::ok && message_.word[0] == kTurnedAway) continue;
            return error != Error::ok ? error : static_cast<Error>(message_.word[0]);
        }
    }
    u64 word(u64 i) const { return message_.word[i]; }
    const Gate& gate() const { return gate_; }

  private:
    Gate gate_;
    Message message_;
};

u64 header(u64 procedure) { return kInterface.header(procedure); }

void wrong_headers(Forger& forger) {
    expect("another version", forger.call(Interface{kInterface.number, 2, 0, 0}.header(kAdd), 1, 2), Error::conflict);
    expect("another interface", forger.call(Interface{kInterface.number ^ 1, 3, 0, 0}.header(kAdd), 1, 2), Error::conflict);
    expect("no header at all", forger.call(0), Error::conflict);
    expect("no such procedure", forger.call(header(6)), Error::unknown_call);
    expect("the last procedure", forger.call(header(kCloseProcedure - 1)), Error::unknown_call);
    expect("a value too large", forger.call(header(kHalf), 256), Error::bad_argument);
    expect("a good one", forger.call(header(kHalf), 255), Error::ok);
    expect_true("and its answer", forger.word(1) == 127);
}

void wrong_windows(Forger& forger) {
    const EnvId server = forger.gate().callee();
    expect("no window", forger.call(header(kEcho), 8), Error::not_mapped);
    expect("opened without one", forger.call(header(kOpenProcedure), 0), Error::not_mapped);
    expect("one that is not posted", forger.call(header(kOpenProcedure), 1), Error::not_found);

    static Memory window;
    need(window, 1);
    Capability bad = window.capability;
    bad.tag[0] ^= 1;
    const Capability offered[] = {bad, attenuate(window.capability, only_rights(Right::read)).value(),
                                  attenuate(window.capability, only_presenter(boot().self)).value(),
                                  attenuate(window.capability, only_range(window.frame.value + 1, 1)).value(), boot().environment};
    for (const Capability& each : offered) {
        expect("post", post(kWindowPost, each).error(), Error::ok);
        expect("a window that cannot be bound", forger.call(header(kOpenProcedure), 1), Error::not_mapped);
    }
    expect("post", post(kWindowPost, attenuate(window.capability, only_presenter(server)).value()).error(), Error::ok);
    for (u64 i = 0; i < 3; ++i) expect("opened, and again", forger.call(header(kOpenProcedure), 1), Error::ok);
    for (u64 length : {u64{65}, u64{4096}, u64{1} << 32, kAny, u64{1} << 63 | 8})
        expect("a length too large", forger.call(header(kEcho), length), Error::out_of_range, length);
    expect("the longest", forger.call(header(kEcho), 64), Error::ok);

    expect("release", answer_to<FrameRelease>({address(window.capability), window.frame, 1}), Error::ok);
    expect("a window that was taken away", forger.call(header(kEcho), 8), Error::not_mapped);
    expect("and stays away", forger.call(header(kEcho), 8), Error::not_mapped);
    expect("the others", forger.call(header(kAdd), 20, 3), Error::ok);
    expect_true("are answered", forger.word(1) == 23);
    take_down(kWindowPost);
    expect("closed", forger.call(header(kCloseProcedure)), Error::ok);
}

void random_messages(Forger& forger) {
    u64 state = 4711;
    for (u64 i = 0; i < 2000; ++i) {
        const u64 procedure = random_word(state) % 3;
        const u64 noise = i % 2 != 0 ? random_word(state) : 0;
        const Error error = forger.call(header(procedure) ^ (i % 4 == 1 ? noise << 16 : 0), random_word(state), random_word(state));
        expect_true("an answer", error == Error::ok || error == Error::conflict || error == Error::not_mapped ||
                                     error == Error::bad_argument || error == Error::unknown_call, i);
        if (i % 40 != 0) continue;
        // One way what wants an answer: nobody gets it, and the slice is gone.
        Message message;
        message.word[0] = header(procedure);
        expect("one way", forger.gate().send_patiently(message, kAny), Error::ok);
    }
}

void honest_client_of_hostile_server() {
    static Client client;
    expect("open at the hostile one", client.open("hostile", "probe").error(), Error::ok);
    Bytes<64> echoed;
    const std::span<const u8> some(reinterpret_cast<const u8*>("12345678"), 8);
    for (Error wanted : {Error::out_of_range, Error::out_of_range, Error::out_of_range, Error::out_of_range, Error::bad_argument,
                         Error::bad_argument})
        expect("a lie about bytes", client.echo(some, echoed).error(), wanted);
    for (u64 i = 0; i < 2; ++i) expect("a value that its type cannot have", client.half(7).error(), Error::bad_argument);
    client.set_patience(information().quantum);
    expect("turned away for ever", client.call_me_back().error(), Error::busy);
    expect("it ends in the middle", client.add(1, 1).error(), Error::ended);
    expect("nobody is there", client.add(1, 1).error(), Error::not_found);
    client.close();
}

int be_attacker() {
    use_shared_memory();
    Forger forger(await_post("server", "probe").value());
    wrong_headers(forger);
    wrong_windows(forger);
    random_messages(forger);
    honest_client_of_hostile_server();

    static Client client;
    expect("open", client.open("server", "probe").error(), Error::ok);
    client.set_patience(kAny / 2);
    static Service me([](Service&, Sender, Message&) {});
    expect("post me", post("me", me.publish(0).value()).error(), Error::ok);
    const auto back = client.call_me_back();
    expect("a cycle of calls", back.ok() ? static_cast<Error>(back.value()) : back.error(), Error::busy);
    static u8 long_text[65];
    Bytes<64> echoed;
    expect("too much to send", client.echo(long_text, echoed).error(), Error::out_of_range);
    expect("the server dies of it", client.die().error(), Error::ended);
    expect("and is gone", client.add(1, 1).error(), Error::not_found);
    return verdict("rpc");
}

}  // namespace

int libos_main() {
    const std::string_view role = argument("role");
    if (role == "server") return be_server();
    if (role == "hostile") return be_hostile_server();
    return role == "bystander" ? be_bystander() : be_attacker();
}
