// Who would keep what it is asked for: by lying about its records, by giving its time away, by not running, by asking in
// its turn, by ending, by having no room for the news. And what must not be taken is asked for.
#include "tests/system/children.hpp"
#include "tests/system/revoked.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

Memory page;  // the vector's
[[gnu::section(".guaranteed.data.upcalls")]] UpcallTable table;
alignas(4096) Child child, other;

RepossessionVector& vector() { return *reinterpret_cast<RepossessionVector*>(page.bytes()); }

/// Ask; the row.
const RevocationRequest& ask(EnvId target, RevocationKind kind, u64 first, u64 count, u64 own = 1, u64 wall = 2) {
    const u64 slot = information().quantum;
    const RevocationSpec spec{kind, 0, first, count, own * slot, wall * slot};
    const auto number = call<Revoke>({address(boot().every_environment), target, address(spec)});
    expect("ask", number.error(), Error::ok, count);
    const RevocationRequest* row = number ? find_request(target, number.value()) : nullptr;
    if (row == nullptr) exit(4);
    return *row;
}
/// Until it is done, or far too long. With sleep=1 the CPU has nobody to run meanwhile.
void wait_for(const RevocationRequest& row) {
    const u64 limit = ticks() + 400 * information().quantum;
    const bool sleeps = argument("sleep", 0) != 0;
    while (!is_done(row) && ticks() < limit) {
        if (!sleeps)
            yield();
        else if (const Error error = answer_to<Wait>({{}, 0, ticks() + 100 * information().quantum, 0}); error != Error::interrupted)
            expect("sleep", error, Error::ok);
    }
    expect_true("it ends", is_done(row), row.number);
}
void expect_taken(const char* what, const RevocationRequest& row, u64 count) {
    wait_for(row);
    expect_true(what, row.state == RequestState::repossessed && row.taken == count, row.taken);
}

// ------------------------------------------------------------------------------------------------- what is told

u64 order[kRequests], heard, nested;
bool asks_back;

void on_revoke(SaveRecord& record) {
    if (heard < kRequests) order[heard] = record.error;
    ++heard;
    nested = libos_save_area.depth > nested ? libos_save_area.depth : nested;
    if (asks_back) {  // once: a request while one is being answered
        asks_back = false;
        ask(boot().self, RevocationKind::frames, kAny, 1);
    }
}
u64 losses;
void on_repossessed(SaveRecord&) { ++losses; }

/// As many as there can be at once, of frames that we do not have: heard of in order, and one more is refused.
void many_at_once() {
    const u64 free_frame = page.frame.value;
    u64 numbers[kRequests];
    const RevocationRequest* last = nullptr;
    for (u64& number : numbers) {
        last = &ask(boot().self, RevocationKind::frames, free_frame, 1);
        number = last->number;
    }
    const RevocationSpec spec{RevocationKind::frames, 0, kAny, 1, information().quantum, information().quantum};
    expect("one more", answer_to<Revoke>({address(boot().every_environment), boot().self, address(spec)}), Error::exhausted);
    expect("by another way", answer_to<Revoke>({address(boot().environment), boot().self, address(spec)}), Error::exhausted);
    wait_for(*last);
    expect_true("all heard", heard == kRequests, heard);
    for (u64 i = 0; i < kRequests; ++i) expect_true("in order", order[i] == numbers[i], i);
    expect_true("one on the other, with room to spare", nested >= kRequests && nested <= kSaveRecords - 4, nested);
    expect_true("the vector's page is not taken", frame_info(page.frame).owner == boot().self.value);
}

void asked_while_answering() {
    Memory pool;
    if (!take(pool, 4)) exit(3);
    heard = 0;
    asks_back = true;
    const RevocationRequest& first = ask(boot().self, RevocationKind::frames, kAny, 2);
    expect_taken("the first", first, 2);
    const RevocationRequest* second = find_request(boot().self, first.number + 1);
    expect_true("the second is there", second != nullptr && heard == 2, heard);
    if (second != nullptr) expect_taken("the second", *second, 1);
    expect("what is left", answer_to<FrameRelease>({address(pool.capability), pool.frame, 1}), Error::ok);
}

// ------------------------------------------------------------------------------------------------- who evades

/// All records in use, it says: told or not, its time runs.
void liar() {
    Memory pool;
    if (!take(pool, 8)) exit(3);
    const RevocationRequest& row = ask(boot().self, RevocationKind::frames, pool.frame.value, 8);
    const u64 limit = ticks() + 400 * information().quantum;
    for (const u32 depth : {16u, ~0u}) {
        libos_save_area.depth = depth;
        while (!is_done(row) && ticks() < limit) {
        }
    }
    libos_save_area.depth = 0;
    expect_taken("who cannot be told", row, 8);
}

/// A vector without room, without a page, and then with lies in it.
void full_vector() {
    Memory pool;
    constexpr u64 kPieces = 110;
    if (!take(pool, 2 * kPieces)) exit(3);
    for (u64 i = 0; i < kPieces; ++i)
        expect("every second", answer_to<FrameRelease>({address(pool.capability), pool.frame + 2 * i, 1}), Error::ok);
    vector().used = 0;
    expect("unbind it", unbind_all(page), Error::ok);
    expect_taken("piece by piece", ask(boot().self, RevocationKind::frames, pool.frame.value, 2 * kPieces), kPieces);
    expect("bind it", bind_all(page), Error::ok);
    expect_true("as many as fit", vector().used == RepossessionVector::kLines, vector().used);
    expect_true("and the others counted", vector().unreported == kPieces - RepossessionVector::kLines, vector().unreported);
    for (u64 i = 0; i < vector().used; ++i)
        expect_true("each is there", vector().line[i].first == pool.frame.value + 2 * i + 1 && vector().line[i].count == 1, i);
    Memory more;
    if (!take(more, 4)) exit(3);
    vector().used = ~0u;
    vector().unreported = 0;
    expect_taken("beside a lie", ask(boot().self, RevocationKind::frames, more.frame.value, 4), 4);
    expect_true("counted", vector().unreported == 4, vector().unreported);
    vector() = {};
}

void what_is_kept() {
    const u64 save = boot().image_frame.value + (page_of(address(libos_save_area)) - boot().image_page);
    for (const u64 frame : {save, page.frame.value, boot().image_frame.value + boot().image_pages}) {
        const RevocationRequest& row = ask(boot().self, RevocationKind::frames, frame, 1);
        expect_taken("the reserve", row, 0);
        expect_true("is still owed", row.returned == 0 && frame_info(FrameNumber{frame}).owner == boot().self.value, frame);
    }
    Memory kept;
    if (!take(kept, 3)) exit(3);
    expect("keep one", answer_to<Reserve>({address(kept.capability), kept.frame + 1, 1, 1}), Error::ok);
    expect_taken("around it", ask(boot().self, RevocationKind::frames, kept.frame.value, 3), 2);
    expect("the kept one", answer_to<FrameRelease>({address(kept.capability), kept.frame + 1, 1}), Error::ok);
}

Capability childs;
void take_some(Child& self) {
    if (!call<FrameAlloc>({FrameNumber{kAny}, self.argument, 1, address(childs)})) exit(1);
    for (;;) enter_yield({});
}
void start(Child& one, const char* name, u64 count) {
    one.frames = {};
    childs = {};
    expect("a child", make_child(one, name, take_some, count, count), Error::ok);
    while (childs.kind == ResourceKind::none) yield(one.id);
}
void end(Child& one) { expect("end", answer_to<EnvDestroy>({address(one.environment)}), Error::ok); }

/// Its slices are given away at once: it would take it for ever to use the time that it has.
void idler() {
    start(child, "idler", 6);
    Capability slot;
    const auto taken = call<SlotTake>({boot().cpu, SlotNumber{kAny}, 1, address(slot)});
    expect("a slot", taken.error(), Error::ok);
    expect("for the child", answer_to<SlotRun>({address(slot), taken.value(), 1, child.id}), Error::ok);
    const RevocationRequest& row = ask(child.id, RevocationKind::frames, kAny, 6, 3);
    const u64 ticks_before = environment_info(child.id).ticks;
    expect_taken("who does not use its time", row, 6);
    // With nobody to yield to it goes on by itself.
    if (argument("sleep", 0) == 0) expect_true("it had used little", environment_info(child.id).ticks - ticks_before < 3 * information().quantum);
    end(child);
    expect("the slot back", answer_to<SlotRelease>({address(slot), taken.value(), 1}), Error::ok);
}

/// No slot runs it, and nobody yields to it: the clock alone, and it waits longer.
void sleeper() {
    start(child, "sleeper", 5);
    const RevocationRequest& row = ask(child.id, RevocationKind::frames, kAny, 5);
    expect_taken("who never runs", row, 5);
    expect_true("it was not told", row.own_deadline == 0 && row.done_at - row.asked_at >= 8 * (row.wall_deadline - row.asked_at));
    expect_true("nor long after", row.done_at - row.asked_at < 40 * information().quantum, row.done_at - row.asked_at);
    end(child);
}

/// The target ends with requests outstanding, told and not; the requester ends.
void ask_and_end(Child& self) {
    const RevocationSpec spec{RevocationKind::frames, 0, kAny, 3, information().quantum, information().quantum};
    if (!call<Revoke>({address(boot().every_environment), EnvId{self.argument}, address(spec)})) exit(1);
    exit(0);
}
void the_end() {
    start(child, "short", 4);
    const RevocationRequest& row = ask(child.id, RevocationKind::frames, kAny, 4);
    end(child);
    expect_true("nothing is left to take", row.state == RequestState::repossessed && row.taken == 0 && row.done_at != 0);
    start(child, "widow", 4);
    const u64 index = child.id.index() * kRequests;
    other.frames = {};
    expect("who asks", make_child(other, "asks", ask_and_end, child.id.value), Error::ok);
    while (environment_info(other.id).id == other.id.value) yield(other.id);
    const RevocationRequest* left = nullptr;
    for (u64 i = index; i < index + kRequests; ++i)
        if (request_at(i).target == child.id.value) left = &request_at(i);
    expect_true("its request is there", left != nullptr && left->requester == other.id.value);
    if (left != nullptr) expect_taken("after its end", *left, 3);
    end(child);
}

/// Kernel memory of one that pays for the very environment that asks.
void patricide(Child& self) {
    const RevocationSpec spec{RevocationKind::kernel_memory, 0, kAny, kEnvFrames, information().quantum, information().quantum};
    const auto number = call<Revoke>({address(boot().every_environment), boot().self, address(spec)});
    self.argument = number ? number.value() : 0;
    for (;;) enter_yield({});
}
void who_asks_for_itself() {
    other.frames = {};
    expect("a child", make_child(other, "patricide", patricide), Error::ok);
    while (other.argument == 0) yield(other.id);
    const RevocationRequest* row = find_request(boot().self, other.argument);
    expect_true("asked", row != nullptr);
    if (row != nullptr) expect_taken("it is what is taken", *row, kEnvFrames);
    expect_true("and ended", environment_info(other.id).id != other.id.value);
}

}  // namespace

int libos_main() {
    need(page, 1);
    handle<UpcallKind::revoke, on_revoke>();
    handle<UpcallKind::repossessed, on_repossessed>();
    expect("upcalls", set_upcalls(table, page.at()), Error::ok);
    const u64 frames = accounts().frames, quota = accounts().frame_quota;
    many_at_once();
    asked_while_answering();
    liar();
    full_vector();
    what_is_kept();
    idler();
    sleeper();
    the_end();
    who_asks_for_itself();
    expect_true("all frames came back or were taken", accounts().frames == frames, accounts().frames);
    expect_true("the quota is whole", accounts().frame_quota == quota, accounts().frame_quota);
    expect_true("told of losses", losses != 0);
    return verdict("deadlines");
}
