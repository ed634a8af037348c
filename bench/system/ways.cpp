// What the ways from one libOS to another cost, in instructions of both sides and the kernel between them: remote procedure
// calls there and back; a pipe and a message queue one way, from before the writer's call to behind the reader's, who
// sleeps until then; a semaphore alone, and handed over and back. One record a way; bench/ways.py makes the table.
//
// Arguments: none, role=server or role=partner
#include "bench/system/costs.rpc.hpp"
#include "bench/system/sample.hpp"
#include "libos/ipc/message_queue.hpp"
#include "libos/ipc/pipe.hpp"
#include "libos/ipc/semaphore.hpp"
#include "libos/transfer/board.hpp"

using namespace tessera;
using namespace tessera::bench;

namespace {

constexpr Rights kReadWrite = Right::read | Right::write;
constexpr u64 kPipePages = 3;
constexpr QueueShape kShape{4, 8, 64};
constexpr u64 kBlock = 4096;

void nothing(u64) {}

class Costs final : public rpc::costs::Server {
  public:
    Result<u64> add(EnvId, u64 a, u64 b) override { return a + b; }
    Outcome echo_64(EnvId, std::span<const u8> data, Bytes<64>& answered) override { return echo(data, answered); }
    Outcome echo_4096(EnvId, std::span<const u8> data, Bytes<4096>& answered) override { return echo(data, answered); }
    Outcome stop(EnvId) override { libos::exit(0); }

  private:
    template <u64 most>
    static Outcome echo(std::span<const u8> data, Bytes<most>& answered) {
        return answered.assign(data) ? Outcome(Done{}) : Error::out_of_range;
    }
};

/// What both sides have. The partner accepts what the other one made.
struct Between {
    SharedMemory pipe, queue, words;
    EnvId peer;

    void open(bool maker, std::string_view other) {
        peer = sure("peer", await_environment(other));
        const struct {
            SharedMemory& memory;
            const char* name;
            u64 pages;
        } all[] = {{pipe, "pipe", kPipePages}, {queue, "queue", kShape.pages()}, {words, "words", 1}};
        for (const auto& each : all) {
            if (maker) sure(each.name, each.memory.create(each.pages));
            sure(each.name, maker ? each.memory.offer(each.name, peer, kReadWrite)
                                  : each.memory.accept(other, each.name, each.pages, kReadWrite));
        }
    }
    Semaphore semaphore(u64 number) { return Semaphore(words, 64 * number, peer); }
};
Between between;

/// The sender's half of a way: what it sends begins with its reading. Then it sleeps until that has arrived.
template <class Send>
[[gnu::noinline]] void send_readings(const char* name, Semaphore& arrived, std::span<u8> message, Send send) {
    for (u64 round = 0; round < kRounds; ++round) {
        const u32 before = reading_before();
        __builtin_memcpy(message.data(), &before, sizeof before);
        sure(name, send());
        sure(name, arrived.acquire());
    }
}

/// The receiver's half: how long each was on its way.
template <class Receive>
[[gnu::noinline]] void receive_readings(const char* name, Semaphore& arrived, std::span<u8> message, Receive receive) {
    Series series;
    for (u64 round = 0; round < kRounds; ++round) {
        const Error error = receive();
        u32 before;
        __builtin_memcpy(&before, message.data(), sizeof before);
        const u32 taken = reading_after(before);
        if (error != Error::ok) give_up(name, tessera::name_of(error));
        if (round >= kWarmUp) series.add(taken);
        arrived.release();
    }
    report(name, series, empty_sample);
}

alignas(64) u8 block[kBlock];
const std::span<u8> kWord{block, 8}, kMessage{block, 64}, kWhole{block, kBlock};

void measure_transfer() {
    const Gate gate = sure("gate", Gate::open(sure("echo", await_post("server", "echo"))));
    static Message message;
    measure("transfer", nothing, [gate](u64) { return Answer{gate.call(message), 0}; });
}

void measure_rpc() {
    static rpc::costs::Client client;
    sure("rpc", client.open("server", "costs"));
    measure("rpc_scalars", nothing, [](u64 round) { return Answer{client.add(round, 1).error(), 0}; });
    static Bytes<64> small;
    measure("rpc_64_bytes", nothing, [](u64) { return Answer{client.echo_64(kMessage, small).error(), 0}; });
    static Bytes<4096> large;
    measure("rpc_4096_bytes", nothing, [](u64) { return Answer{client.echo_4096(kWhole, large).error(), 0}; });
    sure("rpc", client.stop());
}

int be_server() {
    static Costs server;
    static Service echo([](Service&, Sender, Message&) {});
    sure("publish", server.publish("costs"));
    sure("publish", post("echo", sure("publish", echo.publish(1))));
    serve();
}

int be_partner() {
    between.open(false, "ways");
    Semaphore arrived = between.semaphore(0), ping = between.semaphore(1), pong = between.semaphore(2);
    PipeReader reader(between.pipe, between.peer);
    QueueReceiver receiver(between.queue, kShape, between.peer);
    receive_readings("pipe_word", arrived, kWord, [&] { return reader.read_all(kWord).error(); });
    receive_readings("pipe_4096_bytes", arrived, kWhole, [&] { return reader.read_all(kWhole).error(); });
    receive_readings("queue_64_bytes", arrived, kMessage, [&] { return receiver.receive(kMessage).error(); });
    for (u64 round = 0; round < kRounds; ++round) {
        sure("semaphore", ping.acquire());
        pong.release();
    }
    // Not to end within the last sample.
    return ping.acquire().error() == Error::ended ? 0 : 1;
}

int be_first() {
    measure_transfer();
    measure_rpc();
    between.open(true, "partner");
    Semaphore arrived = between.semaphore(0), ping = between.semaphore(1), pong = between.semaphore(2);
    PipeWriter writer(between.pipe, between.peer);
    QueueSender sender(between.queue, kShape, between.peer);
    send_readings("pipe_word", arrived, kWord, [&] { return writer.write(kWord); });
    send_readings("pipe_4096_bytes", arrived, kWhole, [&] { return writer.write(kWhole); });
    send_readings("queue_64_bytes", arrived, kMessage, [&] { return sender.send(kMessage, 2); });
    measure("semaphore_round_trip", nothing, [&](u64) {
        ping.release();
        return Answer{pong.acquire().error(), 0};
    });
    Semaphore alone = between.semaphore(3);
    measure("semaphore_alone", nothing, [&](u64) {
        alone.release();
        return Answer{alone.acquire().error(), 0};
    });
    return 0;
}

}  // namespace

int libos_main() {
    use_shared_memory();
    calibrate();
    const std::string_view role = argument("role");
    return role == "server" ? be_server() : role == "partner" ? be_partner() : be_first();
}
