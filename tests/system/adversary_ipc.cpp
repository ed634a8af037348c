// Somebody who shares memory with a hostile peer: it scribbles over the pages while they are used, takes them away in the
// middle of a sleep, and ends in the middle of another. The victim must get errors or wrong bytes, and live.
//
// Arguments: role=victim, role=villain or role=mortal
#include "libos/ipc/message_queue.hpp"
#include "libos/ipc/pipe.hpp"
#include "libos/ipc/semaphore.hpp"
#include "libos/transfer/board.hpp"
#include "tests/system/attack.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr u64 kPages = 2;
constexpr QueueShape kShape{3, 4, 64};
static_assert(kShape.pages() == 1);
constexpr Rights kReadWrite = Right::read | Right::write;
constexpr u64 kScribbles = 3000;

SharedMemory pipe_memory, queue_memory;

/// Where it hurts: the counts and closed marks, and the lengths of messages. Small values pass as right ones.
void scribble(u64& state) {
    SharedMemory& memory = random_word(state) % 2 != 0 ? pipe_memory : queue_memory;
    const u64 value = random_word(state) % 4 != 0 ? random_word(state) % 5000 : random_word(state);
    u64& word = memory.at<u64>(random_word(state) % 160 * 8);
    if (&word != &memory.at<RingWords>(0).producer_closed && &word != &memory.at<RingWords>(0).consumer_closed) word = value;
}

int be_villain() {
    use_shared_memory();
    const auto victim = await_environment("victim");
    if (!victim.ok() || !pipe_memory.create(kPages).ok() || !queue_memory.create(1).ok()) return 1;
    if (!pipe_memory.offer("pipe", victim.value(), kReadWrite).ok() || !queue_memory.offer("queue", victim.value(), kReadWrite).ok())
        return 1;
    u64 state = 99;
    for (u64 i = 0; i < kScribbles; ++i) {
        for (u64 times = random_word(state) % 4; times-- > 0;) scribble(state);
        yield(victim.value());
    }
    // The victim finds that the queue is gone, and goes to sleep at the empty pipe: until then its account grows.
    queue_memory.detach();
    const volatile u64& used = environment_info(victim.value()).ticks;
    for (u64 before = 0; before != used;) {
        before = used;
        for (u64 i = 0; i < 4; ++i) static_cast<void>(call<Wait>({{}, 0, ticks() + information().quantum, 0}));
    }
    pipe_memory.detach();
    return record("villain", kScribbles).ok() ? 0 : 1;
}

int be_mortal() {
    SharedMemory& memory = pipe_memory;
    use_shared_memory();
    if (!memory.accept("victim", "mortal", kPages, kReadWrite).ok()) return 1;
    const u8 bytes[100] = {};
    if (!PipeWriter(memory, find_environment("victim")).write(bytes).ok()) return 2;
    return 0;  // and no close
}

void under_scribbles(EnvId villain) {
    u64 state = 5, good = 0, bad = 0;
    std::array<u8, 6000> bytes{};
    while (!pipe_memory.lost() && !queue_memory.lost()) {
        PipeWriter writer(pipe_memory, villain);
        PipeReader reader(pipe_memory, villain);
        QueueSender sender(queue_memory, kShape, villain);
        QueueReceiver receiver(queue_memory, kShape, villain);
        Semaphore semaphore(queue_memory, 512, villain);
        for (u64 i = 0; i < 8; ++i) {
            const u64 soon = ticks() + information().quantum / 8;
            const std::span<u8> some(bytes.data(), 1 + random_word(state) % bytes.size());
            const Error error = [&] {
                switch (random_word(state) % 5) {
                    case 0: return writer.write(some, soon).error();
                    case 1: return reader.read(some, soon).error();
                    case 2: return sender.send(some.first(std::min<u64>(some.size(), 64)), random_word(state) % 3, soon).error();
                    case 3: return receiver.receive(some, soon).error();
                    default: return semaphore.acquire(soon).error();
                }
            }();
            expect_true("an error that may be", error == Error::ok || error == Error::bad_argument || error == Error::asleep ||
                                                    error == Error::ended || error == Error::out_of_range, static_cast<u64>(error));
            ++(error == Error::ok ? good : bad);
        }
    }
    expect_true("some of it went well", good > 100, good);
    expect_true("some of it did not", bad > 100, bad);
}

int be_victim() {
    use_shared_memory();
    const EnvId villain = await_environment("villain").value(), mortal = await_environment("mortal").value();
    expect("accept", pipe_memory.accept("villain", "pipe", kPages, kReadWrite).error(), Error::ok);
    expect("accept", queue_memory.accept("villain", "queue", 1, kReadWrite).error(), Error::ok);
    under_scribbles(villain);

    pipe_memory.at<RingWords>(0) = {};
    u8 byte[200];
    PipeReader reader(pipe_memory, villain);
    expect("taken away in the middle", reader.read(byte).error(), Error::ended);
    expect_true("and it says so", pipe_memory.lost());
    pipe_memory.detach();
    queue_memory.detach();
    expect_true("and is not to be had again", !pipe_memory.accept("villain", "pipe", kPages, kReadWrite, ticks() + 1).ok());

    static SharedMemory own;
    expect("create", own.create(kPages).error(), Error::ok);
    expect("offer", own.offer("mortal", mortal, kReadWrite).error(), Error::ok);
    PipeReader from_mortal(own, mortal);
    expect("what it wrote before it ended", from_mortal.read_all({byte, 100}).error(), Error::ok);
    expect("it ended in the middle", from_mortal.read(byte).error(), Error::ended);
    expect("a semaphore that nobody releases", Semaphore(own, 1024, mortal).acquire().error(), Error::ended);
    own.at<RingWords>(0) = {};
    PipeWriter to_mortal(own, mortal);
    Error error = Error::ok;
    for (u64 i = 0; i < 100 && error == Error::ok; ++i) error = to_mortal.write(byte).error();
    expect("a pipe that nobody reads", error, Error::ended);
    return verdict("ipc");
}

}  // namespace

int libos_main() {
    const std::string_view role = argument("role");
    return role == "victim" ? be_victim() : role == "villain" ? be_villain() : be_mortal();
}
