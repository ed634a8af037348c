// The bill is exact: what a libOS does is counted once, to the call, the binding and the tick.
#include "tests/system/attack.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

Memory memory;
constexpr Rights kReadWrite = Right::read | Right::write;

/// What `act` adds to an account.
template <class Act>
u64 added(u64 EnvironmentInfo::* account, Act act) {
    const volatile EnvironmentInfo& bill = accounts();
    const u64 before = bill.*account;
    act();
    return bill.*account - before;
}

void expect_calls(const char* what, u64 wanted, void (*act)()) {
    const u64 calls = added(&EnvironmentInfo::syscalls, act);
    expect_true(what, calls == wanted, calls);
}
void expect_bindings(const char* what, u64 wanted, void (*act)()) {
    const u64 made = added(&EnvironmentInfo::bindings, act);
    expect_true(what, made == wanted, made);
}

void bind(u64 page, u64 frame, u64 count = 1, u64 flags = 0) {
    const PageSpan span = PageSpan::make(PageNumber{memory.page.value + page}, count, kReadWrite, flags);
    expect("bind", answer_to<Bind>({address(memory.capability), memory.frame + frame, span, {}, {}}), Error::ok);
}
void unbind(u64 page, u64 count = 1) {
    expect("unbind", answer_to<Unbind>({PageSpan::make(PageNumber{memory.page.value + page}, count), {}}), Error::ok);
}

void count_calls() {
    expect_calls("null calls are free", 0, [] { for (u64 i = 0; i < 5; ++i) raw_call(NullCall::number, {}); });
    expect_calls("calls", 7, [] { for (u64 i = 0; i < 7; ++i) raw_call(Unbind::number, {PageSpan::make(memory.page, 1).bits, 0}); });
    expect_calls("calls that fail", 3, [] { for (u64 i = 0; i < 3; ++i) raw_call(FrameAlloc::number, {0, 0, 0, 0}); });
    expect_calls("numbers that are no call", 0, [] { raw_call(Syscalls::count, {}); });
    expect_calls("a yield to nobody", 1, [] { raw_call(Yield::number, {EnvId::make(60, 77).value}); });
    expect_calls("a yield with nobody else", 1, [] { yield(); });
    expect_calls("a batch and what is in it", 4, [] {
        static BatchedCall batch[4];
        for (BatchedCall& one : batch) one = {CapabilityCheck::number, {address(boot().image).value}, Error::ok, 0};
        batch[3].number = NullCall::number;
        raw_call(Batch::number, {address(batch).value, 4});
    });
    expect_calls("waiting for what has come", 1, [] { raw_call(Wait::number, {0, 0, 1, 0}); });
}

void count_bindings() {
    expect_bindings("a page", 1, [] { bind(0, 0); });
    expect_bindings("again", 0, [] { bind(0, 0); });
    expect_bindings("unbound and bound", 0, [] { unbind(0), bind(0, 0); });
    expect_bindings("another frame", 1, [] { bind(0, 1); });
    expect_bindings("another page of that frame in its entry", 1, [] { bind(boot().stlb_entries, 1); });
    expect_bindings("and the first again", 1, [] { bind(0, 1); });
    expect_bindings("a range", 8, [] { bind(8, 2, 8); });
    expect_bindings("half of it", 4, [] { bind(12, 0, 4); });
    expect_bindings("a guaranteed one", 1, [] { bind(20, 3, 1, static_cast<u64>(SpanFlag::guaranteed)); });
    expect_bindings("again", 0, [] { bind(20, 3, 1, static_cast<u64>(SpanFlag::guaranteed)); });
}

/// Frames times time, from one published moment to the next.
void count_frame_ticks() {
    const volatile EnvironmentInfo& bill = accounts();
    Capability capability;
    for (u64 round = 0; round < 20; ++round) {
        const u64 since = bill.frames_since, frames = bill.frames, ticks = bill.frame_ticks, before = libos::ticks();
        if (round % 2 == 0)
            expect("more", answer_to<FrameAlloc>({FrameNumber{kAny}, round + 1, 1, address(capability)}), Error::ok);
        else
            expect("less", answer_to<FrameRelease>({address(capability), FrameNumber{capability.first}, capability.count}), Error::ok);
        expect_true("noted when", bill.frames_since >= before && bill.frames_since <= libos::ticks(), bill.frames_since);
        expect_true("to the tick", bill.frame_ticks - ticks == frames * (bill.frames_since - since), bill.frame_ticks - ticks);
    }
}

}  // namespace

int libos_main() {
    if (!take(memory, 16)) return 3;
    count_calls();
    count_bindings();
    count_frame_ticks();
    return verdict("bills");
}
