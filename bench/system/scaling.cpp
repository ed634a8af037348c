// Do two libOSes on two CPUs that share nothing hold each other up? Both run this image, each in a context of its own
// with a server of its own on its CPU. Time is cut into windows: in one only the first works, in one only the second, in
// one both, and the others' CPU is halted meanwhile; over and over, path by path, as the host's speed changes from
// moment to moment. Everybody counts what it got done in each of its windows, and the locks that its CPU took for it.
//
// What does not depend on the host's speed is checked here: the paths that need no lock took none, and nobody was stopped.
//
//   worker=0|1   the first or the second     window_us=N  rounds=N
//   role=server  answers the worker of its CPU
#include "bench/system/path_transfers.hpp"
#include "libos/core/pages.hpp"

using namespace tessera;
using namespace tessera::bench;

namespace {

constexpr u64 kMostRounds = 32, kWorkers = 2, kPages = 16;
constexpr PageNumber kMeeting{0x20'0380};

enum class Turn : u64 { first, second, both };
constexpr const char* kTurnNames[] = {"alone", "alone", "together"};

/// So much of a path between two looks at the clock.
constexpr u64 kBatch = 64;

/// A path: `once(i)` is an operation. `free`: it needs no lock.
struct Path {
    const char* name;
    void (*once)(u64 i);
    bool free;
};

struct Window {
    u64 operations, ticks, late, locks;
};

Capability single;

PageSpan page_span(u64 page) { return PageSpan::make(kArena + page, 1, kReadWrite); }
void bind_arena(u64 page, u64 frame) {
    if (enter_kernel<Bind>({address(arena.frames), arena.first + frame, page_span(page), {}, {}}).error != Error::ok)
        give_up("bind", "refused");
}
void unbind_arena(u64 page) {
    if (enter_kernel<Unbind>({page_span(page), {}}).error != Error::ok) give_up("unbind", "refused");
}

void compute(u64) {
    for (u64 i = 0; i < 100; ++i) asm volatile("");
}
void call_nothing(u64) { enter_kernel<NullCall>({}); }
/// The page had the same frame before: nothing has to be put on another list.
void bind_again(u64 i) {
    bind_arena(i % kPages, i % kPages);
    unbind_arena(i % kPages);
}
/// It had another.
void bind_fresh(u64 i) {
    bind_arena(i % kPages, i / kPages % kArenaPages);
    unbind_arena(i % kPages);
}
void call_server(u64) {
    if (through_gate<TransferCall>(kAnswer).answer.error != Error::ok) give_up("call", "refused");
}
void take_and_release(u64) {
    const Answer frame = enter_kernel<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(single)});
    if (frame.error != Error::ok || enter_kernel<FrameRelease>({address(single), FrameNumber{frame.value}, 1}).error != Error::ok)
        give_up("frames", "refused");
}

constexpr Path kPaths[] = {
    {"user_loop", compute, true},       {"null_call", call_nothing, true},  {"bind_unbind_hot", bind_again, true},
    {"bind_unbind_cold", bind_fresh, false}, {"transfer_round_trip", call_server, true},
    {"frame_alloc_release", take_and_release, false},
};
constexpr u64 kPathCount = std::size(kPaths);

Window windows[kPathCount][kMostRounds][kWorkers];  ///< The last index: alone, together.

u64 worker_self() { return argument("worker", 0); }
u64 own_locks() { return information().locks[accounts().cpu]; }
u64 all_stops() {
    u64 sum = 0;
    for (u64 cpu = 0; cpu < information().cpus; ++cpu) sum += information().stops[cpu];
    return sum;
}

u64 microseconds(u64 count) { return count * (information().tsc_hz / 1'000'000); }
void sleep_until(u64 when) { sure("wait", call<Wait>({{}, 0, when, 0})); }
void sleep_for(u64 us) { sleep_until(ticks() + microseconds(us)); }

/// Work from `begin` on until `end`, a batch at least.
Window work(const Path& path, u64 begin, u64 end) {
    if (ticks() < begin) sleep_until(begin);
    const u64 locks = own_locks(), began = ticks();
    Window window{0, 0, began - begin, 0};
    u64 now;
    do {
        for (u64 i = 0; i < kBatch; ++i) path.once(window.operations + i);
        window.operations += kBatch;
        now = ticks();
    } while (now < end);
    window.ticks = now - began;
    window.locks = own_locks() - locks;
    return window;
}

/// A page that both see, looked at and written between rounds only: who is ready for which round, and when it begins.
struct Meeting {
    u64 ready[kWorkers];
    u64 round, start;
};
volatile Meeting* const meeting = reinterpret_cast<volatile Meeting*>(address_of(kMeeting).value);

/// The first worker has the page and posts it, the second binds it.
void meet() {
    static Capability frame;
    if (worker_self() == 0) {
        sure("meet", call<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(frame)}));
        sure("meet", call<PostCapability>({address(frame), 0, 0}));
    } else {
        const EnvId first = find_environment("first");
        while (__atomic_load_n(&post_of(first, 0).owner, __ATOMIC_ACQUIRE) != first.value) sleep_for(1000);
        frame = post_of(first, 0).capability;
    }
    sure("meet", call<Bind>({address(frame), FrameNumber{frame.first}, PageSpan::make(kMeeting, 1, kReadWrite), {}, {}}));
}

/// When round `round`, counted from 1, begins: the first worker says so once both are ready.
u64 begin_of(u64 round) {
    meeting->ready[worker_self()] = round;
    if (worker_self() == 0) {
        while (meeting->ready[1] != round) sleep_for(200);
        meeting->start = ticks() + microseconds(2000);
        __atomic_store_n(&meeting->round, round, __ATOMIC_RELEASE);
    }
    while (__atomic_load_n(&meeting->round, __ATOMIC_ACQUIRE) != round) sleep_for(200);
    return meeting->start;
}

void report(u64 stops) {
    if (!record("stops", stops, "tsc_hz", information().tsc_hz).ok()) give_up("report", "a record was refused");
    for (u64 path = 0; path < kPathCount; ++path)
        for (u64 round = 0; round < std::min(argument("rounds", 8), kMostRounds); ++round)
            for (const Turn turn : {Turn::first, Turn::both}) {
                const Window& window = windows[path][round][turn == Turn::both];
                if (!record("path", kPaths[path].name, "worker", worker_self(), "round", round, "turn",
                            kTurnNames[static_cast<u64>(turn)], "operations", window.operations, "ticks", window.ticks, "late",
                            window.late, "locks", window.locks)
                         .ok())
                    give_up("report", "a record was refused");
            }
}

/// What must be so however fast the host is.
bool share_nothing(u64 stops) {
    bool good = true;
    const auto expect = [&good](const char* path, const char* what, u64 wrong) {
        if (wrong == 0) return;
        print("WRONG ", path, ": ", wrong, " ", what, "\n");
        good = false;
    };
    expect("all paths", "times the CPUs were stopped", stops);
    for (u64 path = 0; path < kPathCount; ++path) {
        u64 locks = 0, operations = 0;
        for (const auto& round : windows[path])
            for (const Window& window : round) {
                locks += window.locks;
                operations += window.operations;
            }
        if (kPaths[path].free) expect(kPaths[path].name, "locks taken", locks);
        // The others cannot do without: a counter that never counts would pass for no locks.
        else expect(kPaths[path].name, "operations without a lock", locks >= operations ? 0 : operations - locks);
    }
    return good;
}

}  // namespace

int libos_main() {
    if (arguments() == "role=server") bench_serve();
    const u64 self = worker_self(), rounds = std::min(argument("rounds", 8), kMostRounds);
    const u64 length = microseconds(argument("window_us", 20'000));
    if (!pin_image().ok()) give_up("scaling", "the image does not fit among the guaranteed mappings");
    arena.open();
    bind_gates(find_environment(self == 0 ? "server-0" : "server-1"));
    meet();
    u64 begin = begin_of(1);
    const u64 before = all_stops();
    for (u64 path = 0; path < kPathCount; ++path)
        for (u64 round = 0; round < rounds; ++round, begin = begin_of(path * rounds + round + 1))
            for (const Turn turn : {Turn::first, Turn::second, Turn::both}) {
                const u64 window = begin + static_cast<u64>(turn) * length;
                if (turn == Turn::both || static_cast<u64>(turn) == self)
                    windows[path][round][turn == Turn::both] = work(kPaths[path], window, window + length * 9 / 10);
            }
    const u64 stops = all_stops() - before;
    begin_of(kAny);  // both have looked: from here on things may be stopped
    const bool good = share_nothing(stops);
    report(stops);
    stop_server();
    // The page where they meet goes with the first.
    while (self == 0 && find_environment("second")) sleep_for(200);
    if (good) print("nothing shared: no locks, no stops\n");
    return good ? 0 : 1;
}
