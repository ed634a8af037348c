// A libOS that misuses control transfer, waiting and the board: gates that lead nowhere, forged and dead entries, calls
// into oneself and in a circle, callees that die, fault, withdraw or kill their caller in the middle of a call, answers
// that nobody waits for, sleepers whose words vanish. Each gets the error that the ABI names, a refused call keeps its
// message, and whoever waits is never left waiting for the dead.
#include "tests/system/children.hpp"
#include "tests/system/messages.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

/// What a server is told to do, in the first register of the message.
enum Order : u64 {
    kEcho,         ///< Add one to rbx.
    kExit,
    kBreak,        ///< An exception without an entry for it.
    kWithdraw,     ///< Withdraw the entry that it is called through, and answer nobody.
    kKillCaller,
    kCallOn,       ///< Call the next server, rbp times in all; rbx = the error that came back.
    kYieldHome,    ///< Yield to the caller; rbx = the error.
    kSleep,        ///< For some quanta, while the caller waits.
    kRepublish,    ///< As withdraw, with another entry in its place.
    kBind,         ///< Bind gate 0 to the next server's entry.
};

constexpr u64 kServers = 40;
alignas(4096) Child servers[kServers];
Capability entries[kServers];
u64 notes[kServers];  // what a server has to say when it has no caller any more
Capability out;
Memory page;

/// A server's life: publish and wait. Its word is its number.
void live(Child& self) {
    const u64 number = static_cast<u64>(&self - servers);
    if (answer_to<EntryPublish>({0, VirtAddr{reinterpret_cast<u64>(message_entry)}, number, address(entries[number])}) != Error::ok) exit(7);
    if (self.argument != 0 && answer_to<GateBind>({address(entries[number + 1]), 0}) != Error::ok) exit(8);
    message_wait();
}

/// A new server as number `number`; with `next`, it has a gate to the one behind it, which must be there.
void start(u64 number, bool next = false) {
    servers[number].frames = {};
    entries[number] = {};
    expect("a server", make_child(servers[number], "server", live, next), Error::ok, number);
    Error yielded = yield(servers[number].id);
    expect("yield to it", yielded, Error::ok, number);
    for (u64 tries = 0; tries < 10 && yielded == Error::ok; ++tries) yielded = yield(servers[number].id);
    expect("yield to one that waits for calls", yielded, Error::asleep, number);
    expect("bind", answer_to<GateBind>({address(entries[number]), number % kGatesPerEnvironment}), Error::ok, number);
}

bool lives(u64 number) { return environment_info(servers[number].id).id == servers[number].id.value; }

void stop(u64 number) {
    if (lives(number)) expect("destroy", answer_to<EnvDestroy>({address(servers[number].environment)}), Error::ok, number);
    expect_true("it is gone", !lives(number));
}

/// Tell the server behind a gate to do something. A message that was refused must be as it was.
Error tell(u64 gate, Order order, u64* result = nullptr, u64 depth = 0, u64 number = TransferCall::number) {
    Message message = pattern(order);
    message.rsi = order, message.rbp = depth;
    const Message sent = message;
    Lost lost{};
    const Error error = message_call(number, gate, message, lost);
    expect_true("nothing of the kernel's in what is lost", harmless(lost), order);
    const bool refused = error == Error::busy || error == Error::not_found || error == Error::elsewhere;
    for (u64 w = 0; refused && w < Message::kWords; ++w) expect_true("a refused message stays", message[w] == Message(sent)[w], w);
    if (result != nullptr) *result = message.rbx;
    return error;
}

void bad_arguments() {
    const u64 entry = reinterpret_cast<u64>(message_entry);
    const VirtAddr to = address(out);
    for (const u64 place : {kEntriesPerEnvironment, u64{1} << 32, kAny}) {
        expect("place", answer_to<EntryPublish>({place, VirtAddr{entry}, 0, to}), Error::bad_argument, place);
        expect("place", answer_to<EntryWithdraw>({place}), Error::bad_argument, place);
        expect("post", answer_to<PostCapability>({to, place, 0}), Error::bad_argument, place);
    }
    expect("nothing published there", answer_to<EntryWithdraw>({3}), Error::bad_argument);
    for (const u64 address_ : {kUserPages << kPageShift, kInformation, u64{0x0000'8000'0000'0000}, u64{0xffff'ffff'8020'0000}, kAny})
        expect("entry", answer_to<EntryPublish>({0, VirtAddr{address_}, 0, to}), Error::bad_address, address_);
    for (const u64 pointer : {u64{1}, kUserPages << kPageShift, u64{0xffff'8000'0000'0000}, ~u64{7}}) {
        expect("publish to", raw_call(EntryPublish::number, {0, entry, 0, pointer}).error, Error::bad_address, pointer);
        expect("bind from", raw_call(GateBind::number, {pointer, 0}).error, Error::bad_address, pointer);
        expect("post from", raw_call(PostCapability::number, {pointer, 0, 0}).error, Error::bad_address, pointer);
        expect("terms from", raw_call(Wait::number, {pointer, 1, 0, 0}).error, Error::bad_address, pointer);
    }
    const u64 unbound = page.at(kPageSize).value;
    expect("publish to", raw_call(EntryPublish::number, {0, entry, 0, unbound}).error, Error::not_mapped);
    expect("publish to", raw_call(EntryPublish::number, {0, entry, 0, address(boot()).value}).error, Error::not_mapped);
    expect("bind from", raw_call(GateBind::number, {unbound, 0}).error, Error::not_mapped);
    expect("post from", raw_call(PostCapability::number, {unbound, 0, 0}).error, Error::not_mapped);
    expect("terms from", raw_call(Wait::number, {unbound, 1, 0, 0}).error, Error::not_mapped);
    for (const u64 gate : {kGatesPerEnvironment, kGatesPerEnvironment + 1, u64{1} << 61, u64{1} << 63, kAny}) {
        expect("gate", answer_to<GateBind>({{}, gate}), Error::bad_argument, gate);
        expect("call", tell(gate, kEcho), Error::not_found, gate);
        expect("send", tell(gate, kEcho, nullptr, 0, TransferSend::number), Error::not_found, gate);
        expect("notify", answer_to<Notify>({gate, 1}), Error::not_found, gate);
    }
    for (u64 gate = 0; gate < kGatesPerEnvironment; ++gate) {
        expect("call nowhere", tell(gate, kEcho), Error::not_found, gate);
        expect("unbind what is not bound", answer_to<GateBind>({{}, gate}), Error::ok, gate);
    }
    BatchedCall batch;
    for (const u64 number : {TransferCall::number, TransferAnswer::number, TransferSend::number, Wait::number}) {
        batch = {number, {}, Error::ok, 0};
        expect("in a batch", answer_to<Batch>({address(batch), 1}), Error::ok, number);
        expect("in a batch", batch.error, Error::unknown_call, number);
    }
}

void capabilities() {
    start(0);
    const Capability good = entries[0];
    const auto bind = [](Capability capability) {
        out = capability;
        return answer_to<GateBind>({address(out), 5});
    };
    expect("another kind", bind(boot().context), Error::denied);
    expect("another kind", bind(boot().environment), Error::denied);
    Capability forged = good;
    for (u64 byte = 0; byte < kCapabilityRootSize; ++byte) {
        forged = good;
        reinterpret_cast<u8*>(&forged)[byte] ^= 1;
        if (byte == 1) continue;  // a number of caveats: then bytes behind the root count, too
        expect("a forged entry", bind(forged), Error::bad_capability, byte);
    }
    expect("the good one", bind(good), Error::ok);
    expect("what it is worth", answer_to<CapabilityCheck>({address(entries[0])}), Error::ok);
    expect("call", tell(5, kEcho), Error::ok);
    expect("unbind", answer_to<GateBind>({{}, 5}), Error::ok);
    expect("call", tell(5, kEcho), Error::not_found);
    u64 result = 0;
    expect("replace it in a call", tell(0, kRepublish), Error::ended);
    expect("the gate is dead", tell(0, kEcho), Error::not_found);
    expect("the old capability", bind(good), Error::stale_capability);
    expect("what it is worth", answer_to<CapabilityCheck>({address(good)}), Error::stale_capability);
    expect("the new one", bind(entries[0]), Error::ok);
    expect("call", tell(5, kEcho, &result), Error::ok);
    stop(0);
    expect("the gate is dead", tell(5, kEcho), Error::not_found);
    expect("its owner is gone", bind(entries[0]), Error::stale_capability);
    // Somebody else in its place is not meant.
    start(0);
    out = good;
    expect("a capability of who was there before", answer_to<GateBind>({address(out), 5}), Error::stale_capability);
    stop(0);
}

void one_at_a_time() {
    start(0), start(1);
    expect("call", tell(0, kEcho), Error::ok);
    expect("one way", tell(0, kEcho, nullptr, 0, TransferSend::number), Error::ok);
    expect("call after it", tell(0, kEcho), Error::ok);
    // We are running, so we wait for no call.
    Capability own;
    expect("publish", answer_to<EntryPublish>({7, VirtAddr{reinterpret_cast<u64>(message_entry)}, 0, address(own)}), Error::ok);
    expect("bind to oneself", answer_to<GateBind>({address(own), 9}), Error::ok);
    expect("call oneself", tell(9, kEcho), Error::busy);
    expect("send to oneself", tell(9, kEcho, nullptr, 0, TransferSend::number), Error::busy);
    expect("withdraw", answer_to<EntryWithdraw>({7}), Error::ok);
    expect("call what is withdrawn", tell(9, kEcho), Error::not_found);
    u64 result = kAny;
    expect("call one that yields to us", tell(0, kYieldHome, &result), Error::ok);
    expect_true("it went on itself: we wait for it", result == static_cast<u64>(Error::ok), result);
    const u64 begin = ticks();
    expect("call one that sleeps first", tell(0, kSleep), Error::ok);
    expect_true("it slept", ticks() - begin >= 3 * information().quantum, ticks() - begin);
    expect("one that sleeps, one way", tell(0, kSleep, nullptr, 0, TransferSend::number), Error::ok);
    expect("it is not done", tell(0, kEcho), Error::busy);
    expect("the other is", tell(1, kEcho), Error::ok);
    while (tell(0, kEcho) == Error::busy) yield(servers[0].id);
    stop(0), stop(1);
}

/// Chains through all servers, to the end and beyond; and one that would end where it began.
void chains() {
    for (u64 i = kServers; i-- != 0;) start(i, i + 1 < kServers);
    u64 result = 0;
    // Gate 0 leads to number 0, as others with the same remainder were bound before.
    for (const u64 depth : {u64{1}, u64{5}, kServers - 1}) {
        expect("a chain", tell(0, kCallOn, &result, depth), Error::ok, depth);
        expect_true("through to its end", result == static_cast<u64>(Error::ok), result);
    }
    expect("longer than there are links", tell(0, kCallOn, &result, kServers), Error::ok);
    expect_true("the last has no gate", result == static_cast<u64>(Error::not_found), result);
    for (u64 i = kServers; i-- != 0;) stop(i);
    start(0), start(1);
    entries[2] = entries[0];
    expect("0 to 1", tell(0, kBind), Error::ok);
    expect("1 to 0", tell(1, kBind), Error::ok);
    expect("in a circle", tell(0, kCallOn, &result, 2), Error::ok);
    expect_true("which does not close", result == static_cast<u64>(Error::busy), result);
    stop(0), stop(1);
}

/// One of a chain dies: those before it learn of it, those behind it only lose their caller.
void deaths() {
    for (const Order order : {kExit, kBreak}) {
        start(0);
        expect("it dies in the call", tell(0, order), Error::ended, order);
        expect_true("it is gone", !lives(0));
        expect("the gate is dead", tell(0, kEcho), Error::not_found);
    }
    start(0);
    expect("one way, and dies", tell(0, kExit, nullptr, 0, TransferSend::number), Error::ok);
    while (lives(0)) yield(servers[0].id);
    start(0);
    expect("it withdraws the entry", tell(0, kWithdraw), Error::ended);
    expect("the gate is dead", tell(0, kEcho), Error::not_found);
    stop(0);
    // A caller that is killed by whom it calls: 0 calls 1, 1 ends 0 and answers nobody; we waited for 0.
    start(1), start(0, true);
    u64 result = 0;
    expect("the link breaks", tell(0, kCallOn, &result, 1 | u64{kKillCaller} << 32), Error::ended);
    expect_true("the caller is gone, the callee not", !lives(0) && lives(1));
    while (notes[1] == 0) yield(servers[1].id);
    expect("it waits for calls again", tell(1, kEcho), Error::ok);
    stop(1);
    // A sleeping callee is killed from outside while somebody waits for it.
    start(1), start(0, true);
    expect("0 calls 1, which sleeps", tell(0, kCallOn, nullptr, 1 | u64{kSleep} << 32, TransferSend::number), Error::ok);
    stop(1);
    while (tell(0, kEcho) == Error::busy) yield(servers[0].id);
    stop(0);
}

Error wait_for(const WakeTerm* terms, u64 count, u64 deadline = 0, u64 events = 0) {
    return answer_to<Wait>({VirtAddr{reinterpret_cast<u64>(terms)}, count, deadline, events});
}

void sleep_on_page(Child& child) {
    static WakeTerm term;
    term = {page.at(64), kAny, 1, Comparison::equal, 1};
    notes[2] = 1 + static_cast<u64>(raw_call(Wait::number, {address(term).value, 1, 0, 0}).error);
    exit(child.argument);
}

void waits() {
    WakeTerm terms[kMaxWakeTerms + 1];
    for (WakeTerm& term : terms) term = {page.at(), kAny, 0, Comparison::equal, 1};
    expect("for nothing", wait_for(nullptr, 0), Error::bad_argument);
    expect("for too much", wait_for(terms, kMaxWakeTerms + 1), Error::bad_argument);
    expect("for far too much", wait_for(terms, kAny), Error::bad_argument);
    expect("for what is so", wait_for(terms, kMaxWakeTerms), Error::ok);
    terms[1].ends_clause = 0;
    expect("a clause without an end", wait_for(terms, 2), Error::bad_argument);
    terms[1].ends_clause = 2;
    expect("a flag that is none", wait_for(terms, 3), Error::bad_argument);
    terms[1].ends_clause = 1;
    for (const u32 comparison : {4u, 255u, ~0u}) {
        terms[0].comparison = Comparison{comparison};
        expect("a comparison that is none", wait_for(terms, 1), Error::bad_argument, comparison);
    }
    terms[0].comparison = Comparison::equal;
    for (const u64 word : {page.at(1).value, page.at(4).value, u64{256} << 39, u64{0xffff'8000'0000'0000}, ~u64{7}}) {
        terms[0].word = VirtAddr{word};
        expect("a word that cannot be", wait_for(terms, 2), Error::bad_address, word);
    }
    terms[0] = {page.at(kPageSize), kAny, 12345, Comparison::equal, 1};
    expect("a word that is not bound counts", wait_for(terms, 1), Error::ok);
    terms[0].word = VirtAddr{(u64{256} << 39) - 8};
    expect("a word that the kernel does not show counts", wait_for(terms, 1), Error::ok);
    terms[0] = {VirtAddr{kInformation}, kAny, kAbiVersion, Comparison::not_equal, 1};
    expect("the kernel's word is read", wait_for(terms, 1, ticks() + 1000), Error::ok);
    terms[0].comparison = Comparison::equal;
    const u64 before = ticks();
    expect("and is what it is", wait_for(terms, 1, ticks() + 100 * information().quantum), Error::ok);
    expect_true("at once", ticks() - before < information().quantum, ticks() - before);
    expect("for the past", wait_for(nullptr, 0, 1), Error::ok);
    terms[0] = {page.at(), kAny, 1, Comparison::equal, 1};
    const u64 begin = ticks(), until = begin + 2 * information().quantum;
    expect("for what will not be, or the clock", wait_for(terms, 1, until), Error::ok);
    expect_true("until then", ticks() >= until, ticks() - begin);
    // A sleeper over a word of ours: asleep to whoever yields to it, until the page goes.
    servers[2].frames = {}, notes[2] = 0;
    expect("a sleeper", make_child(servers[2], "sleeper", sleep_on_page), Error::ok);
    expect("put it to sleep", yield(servers[2].id), Error::ok);
    for (u64 i = 0; i < 3; ++i) expect("yield to a sleeper", yield(servers[2].id), Error::asleep, i);
    expect("unbind its word", unbind_all(page), Error::ok);
    expect("it wakes up", yield(servers[2].id), Error::ok);
    while (lives(2)) yield(servers[2].id);
    expect_true("with an answer", notes[2] == 1 + static_cast<u64>(Error::ok), notes[2]);
    expect("bind again", bind_all(page), Error::ok);
}

void events_and_posts() {
    Capability own;
    expect("publish", answer_to<EntryPublish>({2, VirtAddr{reinterpret_cast<u64>(message_entry)}, 0, address(own)}), Error::ok);
    expect("bind", answer_to<GateBind>({address(own), 1}), Error::ok);
    expect("notify oneself", answer_to<Notify>({1, 0b1011}), Error::ok);
    expect_true("noted", accounts().events == 0b1011, accounts().events);
    auto got = call<Wait>({{}, 0, 0, 0b0110});
    expect_true("what was asked for", got.ok() && got.value() == 0b0010);
    expect_true("the rest stays", accounts().events == 0b1001, accounts().events);
    got = call<Wait>({{}, 0, 1, 0b0110});
    expect_true("nothing, by the clock", got.ok() && got.value() == 0);
    got = call<Wait>({{}, 0, 0, kAny});
    expect_true("all", got.ok() && got.value() == 0b1001 && accounts().events == 0);
    expect("withdraw", answer_to<EntryWithdraw>({2}), Error::ok);
    expect("notify nobody", answer_to<Notify>({1, 1}), Error::not_found);

    for (u64 place = 0; place < kPostsPerEnvironment; ++place) {
        out = own;
        out.grant = place;  // the kernel does not ask what it is worth
        expect("post", answer_to<PostCapability>({address(out), place, 'x' + place}), Error::ok, place);
        const Post& post = post_of(boot().self, place);
        expect_true("is there", post.owner == boot().self.value && post.name == 'x' + place && post.capability.grant == place, place);
    }
    out.caveats = kMaxCaveats + 1;
    expect("more caveats than there is room for", answer_to<PostCapability>({address(out), 0, 0}), Error::bad_argument);
    expect("take down", answer_to<PostCapability>({{}, 1, 0}), Error::ok);
    expect_true("is gone, the next is not", post_of(boot().self, 1).owner == 0 && post_of(boot().self, 2).owner == boot().self.value);
}

/// Random calls and deaths; in the end everybody is reached or gone.
void at_random() {
    u64 state = 77, done = 0, ended = 0;
    for (u64 i = 6; i-- != 0;) start(i, i != 5);
    for (u64 round = 0; round < 400; ++round) {
        const u64 first = random_word(state) % 6, depth = random_word(state) % 6;
        const Order orders[] = {kEcho, kEcho, kEcho, kEcho, kEcho, kSleep, kEcho, kYieldHome, kExit, kBreak, kKillCaller, kWithdraw};
        const Order last = orders[random_word(state) % 12];
        const u64 number = random_word(state) % 4 == 0 ? TransferSend::number : TransferCall::number;
        const Error error = depth == 0 ? tell(first, last, nullptr, 0, number)
                                       : tell(first, kCallOn, nullptr, depth | u64{last} << 32, number);
        expect_true("an answer that can be", error == Error::ok || error == Error::busy || error == Error::not_found || error == Error::ended, static_cast<u64>(error));
        done += error == Error::ok, ended += error == Error::ended;
        if (round % 8 == 7) {
            for (u64 i = 6; i-- != 0;) stop(i);
            if (wrong != 0) break;
            for (u64 i = 6; i-- != 0;) start(i, i != 5);
        } else if (round % 3 == 0) {
            yield();
        }
    }
    for (u64 i = 6; i-- != 0;) stop(i);
    print(done, " chains done, ", ended, " broken off\n");
    expect_true("some of each", done > 20 && ended > 10, ended);
}

}  // namespace

extern "C" [[gnu::used]] void message_served(u64 word, Sender sender, Message& message, const Lost& lost) {
    expect_true("nothing of the kernel's comes in", harmless(lost), word);
    const EnvId self = servers[word].id;
    notes[word] = 0;
    switch (message.rsi) {
        case kEcho: message.rbx += 1; break;
        case kExit: exit(0);
        case kBreak: asm volatile("ud2"); break;
        case kWithdraw: expect("withdraw in a call", answer_to<EntryWithdraw>({0}), Error::ok); break;
        case kRepublish:
            expect("publish in a call", answer_to<EntryPublish>({0, VirtAddr{reinterpret_cast<u64>(message_entry)}, word, address(entries[word])}), Error::ok);
            break;
        case kKillCaller:
            for (Child& one : servers)
                if (one.id == sender.env() && environment_info(one.id).id == one.id.value && one.id != self)
                    expect("kill the caller", answer_to<EnvDestroy>({address(one.environment)}), Error::ok);
            notes[word] = 1;
            break;
        case kCallOn: {
            const u64 depth = message.rbp & 0xffff'ffff, order = message.rbp >> 32;
            Message next = message;
            Lost more{};
            next.rbp = (depth - 1) | order << 32;
            if (depth == 1) next.rsi = order;
            const Error error = message_call(TransferCall::number, 0, next, more);
            // What came back is the next one's word, if it went on; else this link is the end.
            message.rbx = error != Error::ok ? static_cast<u64>(error) : depth == 1 ? 0 : next.rbx;
            break;
        }
        case kYieldHome: message.rbx = static_cast<u64>(yield(sender.env())); break;
        case kSleep: raw_call(Wait::number, {0, 0, ticks() + 3 * information().quantum, 0}); break;
        case kBind: expect("bind to the next", answer_to<GateBind>({address(entries[word + 1]), 0}), Error::ok, word); break;
        default: break;
    }
}

int libos_main() {
    need(page, 1);
    bad_arguments();
    capabilities();
    one_at_a_time();
    chains();
    deaths();
    waits();
    events_and_posts();
    at_random();
    expect_true("nobody was interrupted", message_interrupted == 0, message_interrupted);
    return verdict("transfer");
}
