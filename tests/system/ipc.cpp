// Two environments with a pipe, a message queue and semaphores between them, all in memory that one of them made. Each
// byte and each message says what the other must find; slices end anywhere.
//
// Arguments: role=maker or role=taker, rounds=
#include "libos/core/libos.hpp"
#include "libos/ipc/message_queue.hpp"
#include "libos/ipc/pipe.hpp"
#include "libos/ipc/semaphore.hpp"
#include "libos/transfer/board.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

constexpr u64 kPipePages = 3;
constexpr QueueShape kShape{4, 8, 40};
constexpr Rights kReadWrite = Right::read | Right::write;

SharedMemory pipe_memory, queue_memory, words;
u64 wrong = 0, bytes_through = 0, messages_through = 0;

void expect(bool right, const char* what, u64 detail = 0) {
    if (right || ++wrong > 20) return;
    print("WRONG ", what, " ", detail, "\n");
}
void expect(const Outcome& outcome, const char* what) {
    expect(outcome.ok(), what);
    if (!outcome.ok()) print(name_of(outcome.error()), "\n");
}

u64 next(u64& state) { return state = state * 6364136223846793005 + 1442695040888963407; }
u8 byte_at(u64 position) { return static_cast<u8>(position * 131 >> 3); }

/// Both sides draw sizes of their own, so that they never meet at the same places.
void through_pipe(bool maker, EnvId peer, u64 total) {
    static u8 buffer[12000];
    u64 state = maker ? 1 : 2, done = 0;
    if (maker) {
        PipeWriter writer(pipe_memory, peer);
        while (done < total) {
            const u64 size = std::min(total - done, next(state) % sizeof buffer);
            for (u64 i = 0; i < size; ++i) buffer[i] = byte_at(done + i);
            expect(writer.write({buffer, size}), "write");
            done += size;
        }
        writer.close();
    } else {
        PipeReader reader(pipe_memory, peer);
        for (;;) {
            const auto size = reader.read({buffer, 1 + next(state) % sizeof buffer});
            expect(size.ok(), "read");
            if (!size.ok() || size.value() == 0) break;
            for (u64 i = 0; i < size.value(); ++i) expect(buffer[i] == byte_at(done + i), "byte", done + i);
            done += size.value();
        }
    }
    expect(done == total, "bytes in all", done);
    bytes_through = done;
}

struct Note {
    u64 priority, number, check;
    static Note make(u64 priority, u64 number) { return {priority, number, priority * 1000003 ^ number}; }
    std::span<const u8> bytes() const { return {reinterpret_cast<const u8*>(this), sizeof *this}; }
};

void through_queue(bool maker, EnvId peer, u64 count) {
    u64 state = 3;
    if (maker) {
        QueueSender sender(queue_memory, kShape, peer);
        std::array<u64, 4> sent{};
        for (u64 i = 0; i < count; ++i) {
            const u64 priority = next(state) >> 60 & 3;
            expect(sender.send(Note::make(priority, sent[priority]++).bytes(), priority), "send");
        }
        sender.close();
    } else {
        QueueReceiver receiver(queue_memory, kShape, peer);
        std::array<u64, 4> received{};
        for (;;) {
            u8 buffer[40];
            const auto got = receiver.receive(buffer);
            if (!got.ok()) {
                expect(got.error() == Error::ended, "end of the queue");
                break;
            }
            Note note;
            __builtin_memcpy(&note, buffer, sizeof note);
            const u64 priority = got.value().priority;
            expect(got.value().length == sizeof note, "length");
            expect(note.check == Note::make(priority, received[priority]++).check, "note", note.number);
            ++messages_through;
        }
        expect(messages_through == count, "messages in all", messages_through);
    }
}

/// The most urgent comes first, whatever was sent before: the semaphores say when all is sent.
void by_urgency(bool maker, EnvId peer, SharedMemory& memory) {
    Semaphore sent(words, 64, peer), taken(words, 128, peer);
    if (maker) {
        QueueSender sender(memory, kShape, peer);
        for (u64 priority : {1, 0, 3, 2, 1, 3}) expect(sender.send(Note::make(priority, 0).bytes(), priority), "send");
        sent.release();
        expect(taken.acquire(), "acquire");
    } else {
        QueueReceiver receiver(memory, kShape, peer);
        expect(sent.acquire(), "acquire");
        for (u64 wanted : {3, 3, 2, 1, 1, 0}) {
            u8 buffer[40];
            const auto got = receiver.receive(buffer);
            expect(got.ok() && got.value().priority == wanted, "urgency", wanted);
        }
        taken.release();
    }
}

/// A count that both add to, not atomically, one at a time.
void one_at_a_time(bool maker, EnvId peer, u64 rounds) {
    Semaphore lock(words, 0, peer), done(words, 192, peer);
    u64& count = words.at<u64>(256);
    if (maker) lock.release();
    for (u64 i = 0; i < rounds; ++i) {
        expect(lock.acquire(), "lock");
        const u64 seen = std::atomic_ref(count).load();
        for (u64 pause = 0; pause < i % 64; ++pause) asm volatile("pause");
        std::atomic_ref(count).store(seen + 1);
        lock.release();
    }
    // The memory is the maker's: it goes last.
    Semaphore looked(words, 320, peer);
    if (maker) {
        done.release();
        expect(looked.acquire(), "the other's end");
    } else {
        expect(done.acquire(), "the other's end");
    }
    expect(count == 2 * rounds, "count", count);
    if (!maker) looked.release();
}

/// Nobody else is there yet, or any more: what blocks must come back.
void deadlines() {
    SharedMemory mine;
    expect(mine.create(kPipePages), "create");
    const u64 soon = ticks() + information().quantum;
    u8 byte[1];
    expect(PipeReader(mine, {}).read(byte, soon).error() == Error::asleep, "deadline of a read");
    expect(ticks() >= soon, "not before the deadline");
    expect(Semaphore(mine, 1024).acquire(ticks() + 1).error() == Error::asleep, "deadline of a semaphore");
    mine.detach();
}

int work(bool maker, u64 rounds) {
    static SharedMemory second_queue;
    const std::string_view other = maker ? "taker" : "maker";
    use_shared_memory();
    const auto peer = await_environment(other);
    if (!peer.ok()) return 1;
    const struct {
        SharedMemory& memory;
        std::string_view name;
        u64 pages;
    } all[] = {{pipe_memory, "pipe", kPipePages}, {queue_memory, "queue", kShape.pages()}, {words, "words", 1},
               {second_queue, "second", kShape.pages()}};
    for (const auto& each : all) {
        if (maker) expect(each.memory.create(each.pages), "create");
        expect(maker ? each.memory.offer(each.name, peer.value(), kReadWrite)
                     : each.memory.accept(other, each.name, each.pages, kReadWrite),
               maker ? "offer" : "accept");
    }
    through_pipe(maker, peer.value(), rounds * 1000);
    through_queue(maker, peer.value(), rounds);
    by_urgency(maker, peer.value(), second_queue);
    one_at_a_time(maker, peer.value(), rounds);
    deadlines();
    print(wrong == 0 ? "right" : "WRONG", ": ", bytes_through, " bytes, ", messages_through, " messages, ", 2 * rounds, " turns\n");
    return wrong == 0 ? 0 : 1;
}

}  // namespace

int libos_main() { return work(argument("role") == "maker", argument("rounds", 1000)); }
