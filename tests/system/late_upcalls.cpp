// Requests that come when their target is not there to hear of them: it has no entry for `revoke` yet, it is about to sleep,
// it is about to wait for a call. It hears of each at the next chance, and once. The program asks itself: it may.
#include "libos/core/pages.hpp"
#include "tests/system/children.hpp"
#include "tests/system/messages.hpp"
#include "tests/system/revoked.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr u64 kRounds = 6, kEntry = 0, kGate = 0, kEvent = 1;
constexpr u64 kAsk = 0, kDone = 1;  // what the caller wants of us

Memory pool;
u64 left;         // of the pool's frames
u64 told, gives;  // upcalls so far; how many frames the handler gives back
alignas(4096) Child child;
[[gnu::section(".guaranteed.data.upcalls")]] UpcallTable table;

template <class T>
T seen(const T& word) { return *static_cast<const volatile T*>(&word); }

void give(u64 count) {
    for (; count != 0; --count) expect("give back", answer_to<FrameRelease>({address(pool.capability), pool.frame + --left, 1}), Error::ok, left);
}

void on_revoke(SaveRecord& record) {
    ++told;
    expect_true("told of a request", request_at(record.address).number == record.error, record.error);
    give(gives);
}

/// With an entry for `revoke`, or without.
void listen(bool wanted) {
    const u64 unwanted = wanted ? 0 : u64{1} << static_cast<u64>(UpcallKind::revoke);
    expect("upcalls", set_upcalls(table, {}, ~unwanted), Error::ok);
}

/// Ask for one frame, with all the time in the world.
const RevocationRequest& ask() {
    const u64 ever = information().tsc_hz * 1000;
    const RevocationSpec spec{RevocationKind::frames, 0, kAny, 1, ever, ever};
    const auto number = call<Revoke>({address(boot().environment), boot().self, address(spec)});
    expect("ask", number.error(), Error::ok);
    const RevocationRequest* row = number.ok() ? find_request(boot().self, number.value()) : nullptr;
    if (row == nullptr) exit(3);
    return *row;
}

/// Does `fact` come within a hundred slices of ours?
template <class Fact>
bool comes(Fact&& fact) {
    for (const u64 begin = seen(accounts().slices); seen(accounts().slices) - begin < 100;)
        if (fact()) return true;
    return false;
}
void wait_for_slices(u64 count) {
    for (const u64 begin = seen(accounts().slices); seen(accounts().slices) - begin < count;) {
    }
}

/// A request that it did not hear of, as it had no entry.
const RevocationRequest& ask_the_deaf() {
    listen(false);
    const u64 before = told;
    const RevocationRequest& row = ask();
    expect_true("counted as told", comes([&] { return seen(row.state) == RequestState::told; }));
    wait_for_slices(2);
    expect_true("nothing came", seen(told) == before, told);
    return row;
}

void hear_late() {
    gives = 0;
    const RevocationRequest& row = ask_the_deaf();
    const u64 before = told, deadline = row.own_deadline;
    listen(true);
    expect_true("told late", comes([&] { return seen(told) != before; }));
    listen(true);
    wait_for_slices(3);
    expect_true("and once", seen(told) == before + 1, told - before);
    give(1);
    expect_true("and given", is_done(row) && row.returned == 1 && row.taken == 0, row.returned);
    expect_true("with no more time for it", row.own_deadline == deadline);
}

void hear_once() {
    gives = 0;
    const u64 before = told;
    const RevocationRequest& row = ask();
    expect_true("told", comes([&] { return seen(told) != before; }));
    listen(true);
    wait_for_slices(3);
    listen(false);
    listen(true);
    wait_for_slices(3);
    expect_true("not told again", seen(told) == before + 1, told - before);
    give(1);
    expect_true("given", is_done(row));

    const RevocationRequest& other = ask_the_deaf();
    give(1);
    expect_true("given unheard", is_done(other));
    listen(true);
    wait_for_slices(3);
    expect_true("what is over is not told", seen(told) == before + 1, told - before);
}

/// True: it slept, and was told. A slice may end before it sleeps: then it is told earlier, and sleeps its time.
bool hear_asleep(bool late) {
    gives = 1;
    for (u64 round = 0; round < kRounds; ++round) {
        const u64 before = told;
        const RevocationRequest& row = late ? ask_the_deaf() : ask();
        if (late) listen(true);
        const Error error = answer_to<Wait>({{}, 0, ticks() + 50 * information().quantum, kEvent});
        expect_true("told", seen(told) == before + 1, told - before);
        expect_true("given", is_done(row));
        if (error == Error::interrupted) return true;
    }
    return false;
}

/// The child's part: have the parent ask itself while it serves us, and answer. Then it waits for the next call.
void call_the_asker(Child&) {
    expect("bind", bind_posted(boot().self, kEntry, kGate), Error::ok);
    const auto call_with = [](u64 what) {
        Message message{};
        Lost lost;
        message.rsi = what;
        Error error;
        while ((error = message_call(TransferCall::number, kGate, message, lost)) == Error::busy) yield(boot().self);
        return error;
    };
    for (u64 round = 0; round < kRounds; ++round) {
        const u64 before = seen(told), interrupted = seen(message_interrupted);
        expect("call", call_with(kAsk), Error::ok);
        const EnvironmentInfo& ours = environment_info(child.id);
        for (const u64 begin = seen(ours.slices); seen(ours.slices) - begin < 100 && seen(told) == before;) {
        }
        expect_true("told while it waited for a call", seen(told) == before + 1, told - before);
        expect_true("its wait was interrupted", comes([&] { return seen(message_interrupted) > interrupted; }), round);
    }
    static_cast<void>(call_with(kDone));
    spin();
}

}  // namespace

extern "C" [[gnu::used]] void message_served(u64, Sender, Message& message, const Lost&) {
    if (message.rsi == kDone) exit(static_cast<u64>(verdict("late upcalls")));
    static_cast<void>(ask());
}

int libos_main() {
    if (!pin_image().ok() || !take(pool, 4 * kRounds + 8)) return 3;
    left = pool.count;
    handle<UpcallKind::revoke, on_revoke>();
    hear_late();
    hear_once();
    expect_true("asked, then asleep", hear_asleep(false));
    expect_true("asked, listening, then asleep", hear_asleep(true));

    expect("publish", publish(kEntry, 0), Error::ok);
    expect("make a child", make_child(child, "child", call_the_asker), Error::ok);
    const Capability& slot = boot().slots[1];
    expect("its slot", answer_to<SlotRun>({address(slot), SlotNumber{slot.first}, 1, child.id}), Error::ok);
    message_wait();
}
