// More than one CPU, from one libOS: environments over its own context on every CPU, which share its memory, lose pages while
// they use them, are ended while they run, and are moved from CPU to CPU in the middle of a computation.
//
//   rounds=N   how often each
#include <algorithm>

#include "exokernel/locks/ticket.hpp"
#include "tests/system/cpus.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

// ------------------------------------------------------------------------------------------------ one lock for all

locks::TicketLock<> lock;
u64 counter[2];
u64 finished;

void count(Child& child) {
    for (u64 i = 0; i < child.argument; ++i) {
        locks::Guard guard{lock};
        counter[0] = counter[0] + 1;
        counter[1] = counter[1] + 2;
    }
    __atomic_add_fetch(&finished, 1, __ATOMIC_SEQ_CST);
    spin();
}

void count_together() {
    counter[0] = counter[1] = finished = 0;
    const u64 each = rounds * 100;
    for (u64 cpu = 1; cpu < cpus(); ++cpu) start(cpu, count, each);
    expect_true("all counted", comes([] { return seen(finished) == cpus() - 1; }), finished);
    expect_true("nothing lost", counter[0] == each * (cpus() - 1) && counter[1] == 2 * counter[0], counter[0]);
    for (u64 cpu = 1; cpu < cpus(); ++cpu) stop(cpu);
}

// ------------------------------------------------------------------------------------------- pages that are taken away

enum class Loss { unbind, protect, bind_other, release };

/// What the others have of a page is gone when the call that takes it away returns.
void lose_a_page(Loss loss) {
    Memory memory;
    if (!take(memory, 2)) return expect_true("frames to lose", false);
    const auto bind_at = [&](PageNumber page, FrameNumber frame) {
        return answer_to<Bind>({address(memory.capability), frame, PageSpan::make(page, 1, Right::read | Right::write), {}, {}});
    };
    const PageNumber victim = fresh_pages(2), watched = fresh_pages(2);
    expect("bind it", bind_at(victim, memory.frame), Error::ok);
    expect("and watch it", bind_at(watched, memory.frame), Error::ok);
    volatile u64* words = reinterpret_cast<volatile u64*>(address_of(watched).value);
    const auto sum = [words] {
        u64 total = 0;
        for (u64 i = 0; i < 512; ++i) total += words[i];
        return total;
    };
    static_cast<void>(sum());
    for (u64 cpu = 1; cpu < cpus(); ++cpu) start(cpu, scribble, address_of(victim).value);
    expect_true("they write", comes([&] { return sum() > 2000; }), sum());
    u64 before = 0;
    switch (loss) {
        case Loss::unbind:
            expect("unbind", answer_to<Unbind>({PageSpan::make(victim, 1), {}}), Error::ok);
            before = sum();
            break;
        case Loss::protect:
            expect("protect", answer_to<Protect>({PageSpan::make(victim, 1, Right::read), {}}), Error::ok);
            before = sum();
            break;
        case Loss::bind_other:
            expect("bind another frame there", bind_at(victim, memory.frame + 1), Error::ok);
            before = sum();
            break;
        case Loss::release: {
            expect("release", answer_to<FrameRelease>({address(memory.capability), memory.frame, 1}), Error::ok);
            Capability again;
            expect("take it again", answer_to<FrameAlloc>({memory.frame, 1, 1, address(again)}), Error::ok);
            expect("bind it again", answer_to<Bind>({address(again), memory.frame, PageSpan::make(watched, 1, Right::read | Right::write), {}, {}}),
                   Error::ok);
            before = sum();
            expect_true("it is clean", before == 0, before);
            break;
        }
    }
    linger();
    expect_true("nobody writes to it any more", sum() == before, sum() - before);
    if (loss != Loss::bind_other)
        expect_true("who tried has ended", comes([] {
                        for (u64 cpu = 1; cpu < cpus(); ++cpu)
                            if (lives(children[cpu])) return false;
                        return true;
                    }));
    for (u64 cpu = 1; cpu < cpus(); ++cpu) {
        if (loss == Loss::bind_other)
            stop(cpu);
        children[cpu].frames = {};
    }
    static_cast<void>(answer_to<Unbind>({PageSpan::make(victim, 1), {}}));
    static_cast<void>(answer_to<Unbind>({PageSpan::make(watched, 1), {}}));
}

// --------------------------------------------------------------------------------------------- moved while computing

/// A sum with the FPU and the integer registers that comes out the same wherever it is computed.
[[gnu::noinline]] u64 compute(u64 steps) {
    double x = 0.5;
    u64 y = 1;
    for (u64 i = 0; i < steps; ++i) {
        x = 3.9 * x * (1 - x);  // chaotic: one lost bit changes everything
        y = y * 6364136223846793005u + static_cast<u64>(x * 1e9);
    }
    return y;
}
u64 moved_sum;
void compute_somewhere(Child& child) {
    const u64 sum = compute(child.argument);
    tell(moved_sum, sum);
    tell(finished, u64{1});
    spin();
}

void move_about() {
    finished = moved_sum = 0;
    const u64 steps = rounds * 20'000;
    start(1, compute_somewhere, steps);
    for (u64 cpu = 2; cpu < cpus(); ++cpu)
        expect("slots everywhere", answer_to<SlotRun>({address(slots[cpu]), SlotNumber{slots[cpu].first}, 1, children[1].id}), Error::ok);
    u64 moves = 0, state = 7;
    while (!seen(finished) && moves < 1'000'000) {
        const Error error = answer_to<EnvPlace>({address(children[1].environment), 1 + random_word(state) % (cpus() - 1)});
        if (error != Error::ok && error != Error::busy) expect("move it", error, Error::ok, moves);
        ++moves;
        for (u64 wait = random_word(state) % 20'000; wait != 0; --wait) asm volatile("pause");
    }
    expect_true("it came to an end", comes([] { return seen(finished) != 0; }), moves);
    expect_true("the same sum", moved_sum == compute(steps), moved_sum);
    expect_true("recorded", record("moves", moves).ok());
    stop(1);
}

// ------------------------------------------------------------------------------------------------------- stolen time

void compute_on(Child&) { spin(); }

/// Gives its slice away as soon as something of it was stolen.
void give_away(Child& child) {
    for (u64 known = 0;;) {
        const u64 stolen = seen(environment_info(child.id).stolen);
        if (stolen == known) continue;
        known = stolen;
        static_cast<void>(yield());
    }
}

/// What stops of this CPU's doing cost environments on another is measured, owed by this one, and given back to who stays to the
/// end of its slices.
void steal() {
    start(1, compute_on);
    Capability slot;
    expect("a second slot there", answer_to<SlotTake>({1, {kAny}, 1, address(slot)}), Error::ok);
    expect("make a second", make_child(children[2], "giver", give_away), Error::ok);
    expect("place it", answer_to<EnvPlace>({address(children[2].environment), 1}), Error::ok);
    expect("run it", answer_to<SlotRun>({address(slot), SlotNumber{slot.first}, 1, children[2].id}), Error::ok);
    const EnvironmentInfo &victim = environment_info(children[1].id), &giver = environment_info(children[2].id);
    u64 stops = 0, debt = 0;
    // What it has back of a slice is in its account when the next one begins. A slice that the host cuts short can be over before
    // the giver looks, which then had its time: not every slice.
    const auto gave_some_away = [&giver] {
        const u64 slices = seen(giver.slices);
        return comes([&] { return seen(giver.slices) != slices; }) && seen(giver.paid_back) < seen(giver.stolen);
    };
    const bool stolen = comes([&] {
        for (u64 i = 0; i < rounds * 5; ++i, ++stops) {
            expect("a call that stops all", answer_to<PostCapability>({{}, 0, 0}), Error::ok);
            debt = std::max(debt, accounts().debt);
            linger();  // or no slice would come to its end
        }
        return stops >= rounds * 20 && seen(victim.stolen) != 0 && gave_some_away();
    });
    expect_true("time was stolen, and not given back to who gave it away", stolen, giver.paid_back);
    expect_true("but to who did not", comes([&] { return seen(victim.paid_back) == seen(victim.stolen); }), victim.paid_back);
    expect_true("and is owed", debt != 0);
    expect("give the slot back", answer_to<SlotRelease>({address(slot), SlotNumber{slot.first}, 1}), Error::ok);
    stop(1);
    stop(2);
}

}  // namespace

int libos_main() {
    if (!open_cpus(2)) return 2;
    expect("no such CPU", answer_to<EnvPlace>({{}, cpus()}), Error::out_of_range);
    const u64 frames = accounts().frames;
    count_together();
    for (u64 i = 0; i < rounds; ++i)
        for (const Loss loss : {Loss::unbind, Loss::protect, Loss::bind_other, Loss::release}) lose_a_page(loss);
    move_about();
    steal();
    expect("go to another CPU", answer_to<SlotRun>({address(slots[1]), SlotNumber{slots[1].first}, 1, {}}), Error::ok);
    expect("oneself", answer_to<EnvPlace>({{}, 1}), Error::ok);
    expect_true("and be there", accounts().cpu == 1, accounts().cpu);
    expect("and back", answer_to<EnvPlace>({{}, 0}), Error::ok);
    expect_true("frames kept", accounts().frames >= frames, accounts().frames);
    expect_true("recorded", record("stops", information().stops[0], "locks", information().locks[0]).ok());
    return verdict("cpus");
}
