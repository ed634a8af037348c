// Control transfer and sleeping between libOSes that mean well: a server that several clients call with all registers,
// sleepers that wake by a word, by the clock, by an event, and nothing else meanwhile.
//
//   role=server clients=N   answers until so many clients have said that they are done
//   role=client calls=N     calls it, with and without SSE registers in use
//   role=writer             counts up in a frame that it shows to everybody, and notifies the sleeper at the end
//   role=sleeper            waits for the writer's word, for the clock, for its notice
#include "tests/system/messages.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr u64 kWork = 0, kDone = 1;     // entries of the server, and the words that it finds
constexpr u64 kNotice = 0, kFrame = 1;  // posts of the sleeper and the writer
constexpr u64 kEnough = 40, kEvent = 1 << 5, kOtherEvent = 1 << 6;

u64 served, clients_left;
volatile double half = 0.5;

/// What the server makes of a message: another order, mixed with who sent it.
Message reply_to(const Message& message, EnvId sender) {
    Message reply{};
    Message copy = message;
    for (u64 i = 0; i < Message::kWords - 2; ++i) reply[i] = copy[Message::kWords - 3 - i] ^ sender.value;
    reply.fs = message.gs, reply.gs = message.fs;
    reply.rdi = copy[0] + copy[1];
    return reply;
}

int serve() {
    clients_left = argument("clients", 1);
    expect("publish", publish(kWork, kWork), Error::ok);
    expect("publish", publish(kDone, kDone), Error::ok);
    message_wait();
}

int be_client() {
    const EnvId server = environment_named("server");
    expect("bind", bind_posted(server, kWork, 3), Error::ok);
    expect("bind", bind_posted(server, kDone, 15), Error::ok);
    const u64 calls = argument("calls", 100);
    u64 done = 0, refused = 0;
    double sum = 0;
    for (u64 i = 0; done < calls && wrong == 0; ++i) {
        if (i % 3 == 0) sum += half * 2;  // SSE registers of our own in use, or not
        const Message sent = pattern(boot().self.value << 32 | i);
        Message message = sent;
        Lost lost;
        const Error error = message_call(TransferCall::number, 3, message, lost);
        expect_true("nothing of the kernel's comes back", harmless(lost), i);
        if (error == Error::busy) {  // it was interrupted while it served somebody else, who goes first
            for (u64 w = 0; w < Message::kWords; ++w)
                expect_true("a refused message stays", message[w] == Message(sent)[w], w);
            ++refused;
            yield(server);
            continue;
        }
        expect("call", error, Error::ok, i);
        Message reply = reply_to(sent, boot().self);
        for (u64 w = 0; w <= Message::kWords; ++w) expect_true("the answer", message[w] == reply[w], w);
        ++done;
    }
    print(done, " calls, ", refused, " refused, ", accounts().transfers, " transfers\n");
    expect_true("transfers counted", accounts().transfers == done, accounts().transfers);
    Message message{};
    Lost lost;
    Error last = Error::busy;
    while (last == Error::busy) {
        last = message_call(TransferCall::number, 15, message, lost);
        if (last == Error::busy) yield(server);
    }
    expect_true("the last call answered, or the server gone", last == Error::ok || last == Error::ended, static_cast<u64>(last));
    return verdict("client");
}

int write_words() {
    static Memory memory;
    need(memory, 1);
    const EnvId sleeper = environment_named("sleeper");
    expect("post", answer_to<PostCapability>({address(memory.capability), kFrame, 0}), Error::ok);
    expect("bind", bind_posted(sleeper, kNotice, 0), Error::ok);
    volatile u64* word = memory.words();
    for (u64 i = 0; i < kEnough; ++i) {
        *word = *word + 1;
        yield();
    }
    expect("notify", answer_to<Notify>({0, kOtherEvent | kEvent}), Error::ok);
    // Until the sleeper has ended, which the kernel's own table says.
    static WakeTerm gone;
    gone = {address(environment_info(sleeper)), ~u32{0}, sleeper.value, Comparison::not_equal, 1};
    expect("wait for its end", answer_to<Wait>({address(gone), 1, 0, 0}), Error::ok);
    expect_true("it has ended", environment_info(sleeper).id != sleeper.value);
    return verdict("writer");
}

/// The page where the writer's word is, once there is one.
u64 shared_word(EnvId writer) {
    while (post_of(writer, kFrame).owner != writer.value) yield();
    static Capability frame;
    frame = post_of(writer, kFrame).capability;
    const PageNumber page = fresh_pages(1);
    const PageSpan span = PageSpan::make(page, 1, Right::read).with(SpanFlag::guaranteed);
    expect("bind the writer's frame", answer_to<Bind>({address(frame), FrameNumber{frame.first}, span, {}, {}}), Error::ok);
    return address_of(page).value;
}

int sleep_and_wake() {
    expect("publish", publish(kNotice, 0), Error::ok);
    const EnvId writer = environment_named("writer");
    const u64 at = shared_word(writer);
    volatile const u64* word = reinterpret_cast<volatile const u64*>(at);
    static WakeTerm terms[3];
    u64 sleeps = 0;
    for (u64 wanted = 10; wanted <= kEnough - 10; wanted += 10, ++sleeps) {
        // Never true and so on, or: at least `wanted`.
        terms[0] = {VirtAddr{at}, kAny, 0, Comparison::greater_or_equal, 0};
        terms[1] = {VirtAddr{at}, kAny, 0, Comparison::less, 1};
        terms[2] = {VirtAddr{at}, 0xff, wanted, Comparison::greater_or_equal, 1};
        const u64 ticks_before = accounts().ticks;
        const auto woken = call<Wait>({address(terms[0]), 3, 0, 0});
        expect("wait for a word", woken.error(), Error::ok, wanted);
        expect_true("the word", *word >= wanted, *word);
        expect_true("slept without CPU time", accounts().ticks - ticks_before < information().quantum, accounts().ticks - ticks_before);
    }
    const auto notice = call<Wait>({{}, 0, 0, kEvent});
    expect_true("the event that it asked for", notice.ok() && notice.value() == kEvent);
    const auto other = call<Wait>({{}, 0, 0, kOtherEvent | kEvent});
    expect_true("the other one, not taken yet", other.ok() && other.value() == kOtherEvent);
    const u64 begin = ticks(), length = 7 * information().quantum;
    expect("wait for the clock", answer_to<Wait>({{}, 0, begin + length, 0}), Error::ok);
    expect_true("slept that long", ticks() - begin >= length, ticks() - begin);
    print("woke ", sleeps, " times by a word\n");
    return verdict("sleeper");
}

}  // namespace

extern "C" [[gnu::used]] void message_served(u64 word, Sender sender, Message& message, const Lost& lost) {
    expect_true("nothing of the kernel's comes in", harmless(lost), served);
    expect_true("wants an answer", sender.wants_answer());
    const EnvironmentInfo& who = environment_info(sender.env());
    expect_true("who calls", std::string_view(who.name).starts_with("client"), sender.bits);
    if (word == kDone) {
        if (--clients_left != 0) return;
        print(served, " calls served\n");
        exit(static_cast<u64>(verdict("server")));
    }
    // A little work, now and then with SSE registers, so that slices end in here too.
    for (u64 i = served++ % 7 * 40; i != 0; --i) half = half * 1.0;
    message = reply_to(message, sender.env());
}

int libos_main() {
    const auto role = argument("role");
    return role == "server" ? serve() : role == "client" ? be_client() : role == "writer" ? write_words() : sleep_and_wake();
}
