// What victims do to each other: calls through gates to entries that others posted, chains of them, messages one way,
// notices, and sleep. Whoever is called may be dead, asleep, elsewhere, or end in the middle of it.
#pragma once

#include "tests/system/faults/work.hpp"
#include "tests/system/messages.hpp"

namespace tessera::faults {

inline constexpr u64 kGates = 4;  // that a victim uses
inline u64 bell;                  // a word that sleepers watch, and others count up
inline u64 calls, answered;       // how many were begun, and came back with an answer

/// What a server answers to a message.
inline Message reply_to(Message message) {
    for (u64 i = 0; i < Message::kWords - 2; ++i) message[i] = ~message[i] + i;
    return message;
}

/// A gate to whoever posted something, of this nursery or another, on this CPU or another.
inline void bind_gate(Victim& victim) {
    for (u64 tries = 0; tries < 8; ++tries) {
        const u64 index = below(victim, kMaxEnvironments);
        const volatile Post& post = post_of(EnvId{index}, 0);
        if (post.owner == 0) continue;
        victim.scratch = post_of(EnvId{index}, 0).capability;
        attempt<GateBind>({address(victim.scratch), below(victim, kGates)});
        return;
    }
}

inline void check_refusal(Error error, Error also) {
    expect_true("a call or its refusal", error == Error::ok || error == Error::not_found || error == Error::busy ||
                error == Error::elsewhere || error == also, static_cast<u64>(error));
}

inline void call_somebody(Victim& victim) {
    enter(victim, Doing::calling);
    Message message = pattern(victim.random);
    const Message sent = message;
    Lost lost{};
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    const Error error = message_call(TransferCall::number, below(victim, kGates), message, lost);
    check_refusal(error, Error::ended);
    expect_true("nothing of the kernel's comes back", harmless(lost), static_cast<u64>(error));
    Message right = error == Error::ok ? reply_to(sent) : sent;
    if (error == Error::ok) __atomic_fetch_add(&answered, 1, __ATOMIC_RELAXED);
    // An error in the middle of a call leaves nothing of the message; one at once leaves all of it.
    if (error != Error::ended && error != Error::elsewhere)
        for (u64 i = 0; i < Message::kWords - 2; ++i) expect_true("the answer, or the message", message[i] == right[i], i);
    if (one_in(victim, 3) || error == Error::not_found) bind_gate(victim);
}

inline void send_somewhere(Victim& victim) {
    enter(victim, Doing::sending);
    Message message = pattern(victim.random);
    Lost lost{};
    check_refusal(message_call(TransferSend::number, below(victim, kGates), message, lost), Error::ok);
    attempt<Notify>({below(victim, kGates), u64{1} << below(victim, 8)});
    __atomic_fetch_add(&bell, 1, __ATOMIC_RELAXED);
    if (one_in(victim, 3)) bind_gate(victim);
}

/// Sleeps until the bell has rung some times, an event comes or a time; now and then there is no word to look at.
inline void sleep(Victim& victim) {
    enter(victim, Doing::sleeping);
    const VirtAddr word = one_in(victim, 16) ? address_of(own_page(victim, 1)) : address(bell);
    auto& terms = victim.terms;
    terms[0] = {word, ~u64{0}, __atomic_load_n(&bell, __ATOMIC_RELAXED) + below(victim, 40), Comparison::greater_or_equal, one_in(victim, 2)};
    terms[1] = {address(commons.first), ~u64{0}, commons.first.value, Comparison::not_equal, 1};
    const u64 deadline = one_in(victim, 8) ? 0 : ticks() + below(victim, 8) * information().quantum;
    const u64 count = terms[0].ends_clause == 1 && one_in(victim, 2) ? 1 : 2;
    attempt<Wait>({address(terms[0]), count, deadline, below(victim, 256)});
}

/// A server's life: publish, post, wait. It ends while it serves (message_served), or is killed.
inline void serve(Victim& victim) {
    enter(victim, Doing::serving);
    for (u64 i = 0; i < kGates; ++i) bind_gate(victim);
    const u64 entry = reinterpret_cast<u64>(message_entry);
    attempt<EntryPublish>({0, VirtAddr{entry}, reinterpret_cast<u64>(&victim), address(victim.scratch)});
    attempt<PostCapability>({address(victim.scratch), 0, 0});
    enter(victim, Doing::waiting);
    message_wait();
}

}  // namespace tessera::faults

/// What a server does before it answers, if it comes to that.
extern "C" [[gnu::used]] inline void message_served(tessera::u64 word, tessera::Sender sender, tessera::attack::Message& message, const tessera::attack::Lost&) {
    using namespace tessera;
    using namespace tessera::faults;
    Victim& victim = *reinterpret_cast<Victim*>(word);
    if (victim.fuse-- == 0) end_itself(victim);
    enter(victim, Doing::serving);
    switch (below(victim, 12)) {
        case 0: yield(); break;
        case 1: yield(sender.env()); break;
        case 2: call_somebody(victim); break;
        case 3: send_somewhere(victim); break;
        case 4: sleep(victim); break;
        case 5: compute(victim); break;
        case 6: bind(victim); break;
        case 7: serve(victim);  // withdraws what it is called through: the caller is told, and there is nobody to answer
        default: break;
    }
    message = reply_to(message);
    enter(victim, Doing::waiting);
}
