// More than one CPU: what can happen on one while another is in the middle of a system call, looks elsewhere, or sleeps.
// Each is done over and over, with both sides doing all they can to meet.
//
//   rounds=N   how often each
#include "tests/system/cpus.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr Rights kReadWrite = Right::read | Right::write;

/// A context that nobody lives in, in which our image is bound where it is here, so that the same code runs in it.
ContextGrant own_context() {
    static Capability frames;
    ContextGrant made{};
    const ContextSpec spec{address(frames), 128, 256, 32};
    expect("frames for a context", answer_to<FrameAlloc>({FrameNumber{kAny}, spec.frames_needed(), 1, address(frames)}), Error::ok);
    expect("make a context", answer_to<ContextCreate>({address(spec), address(made)}), Error::ok);
    const PageSpan image = PageSpan::make(boot().image_page, boot().image_pages, kReadWrite | Right::execute).with(SpanFlag::guaranteed);
    expect("bind the image in it", answer_to<Bind>({address(boot().image), boot().image_frame, image, address(made.context), {}}), Error::ok);
    return made;
}

/// The frames that it is made of go back with it.
void destroy(const ContextGrant& context) { expect("destroy it", answer_to<ContextDestroy>({address(context.context)}), Error::ok); }

// ------------------------------------------------------------------------- a capability exchanged while it is looked at

Capability exchanged;

void exchange(Child& child) {
    for (u64 i = 0;; ++i) tell(exchanged.tag[0], i % 2 ? child.argument : child.argument + 1);
}

/// Bindings of a context that others may be using change with everything stopped, whatever the capability that names it looked
/// like a moment before.
void exchange_capabilities() {
    const ContextGrant context = own_context();
    exchanged = context.context;
    start(1, exchange, exchanged.tag[0]);
    u64 good = 0, behind_backs = 0, tries = 0;
    const auto both_were_met = [&] { return good != 0 && good != tries; };
    // The host decides when the other CPU runs at all.
    for (const u64 begin = ticks(); tries < rounds * 2000 || (!both_were_met() && ticks() - begin < long_enough()); ++tries) {
        const u64 stops = information().stops[0];
        if (!call<Unbind>({PageSpan::make(PageNumber{0x10'0000}, 1), address(exchanged)}).ok()) continue;
        ++good;
        behind_backs += information().stops[0] == stops;
    }
    expect_true("never without stopping the others", behind_backs == 0, behind_backs);
    expect_true("some were the right one, some not", both_were_met(), good);
    stop(1);
    destroy(context);
}

// ----------------------------------------------------------------------- the frame of one, bound in contexts of others

/// Who has a frame bound in a context of its own on another CPU has it no more when its owner's release returns.
void release_what_others_have() {
    Memory memory;
    if (!take(memory, 1)) return expect_true("a frame to lose", false);
    ContextGrant contexts[kMaxCpus];
    const PageNumber page = fresh_pages(1);
    const PageSpan span = PageSpan::make(page, 1, kReadWrite);
    for (u64 cpu = 1; cpu < cpus(); ++cpu) {
        contexts[cpu] = own_context();
        expect("bind it there", answer_to<Bind>({address(memory.capability), memory.frame, span, address(contexts[cpu].context), {}}), Error::ok, cpu);
        start(cpu, scribble, address_of(page).value, address(contexts[cpu].context));
    }
    const auto words = [page] { return reinterpret_cast<volatile u64*>(address_of(page).value); };
    expect("bind it here", answer_to<Bind>({address(memory.capability), memory.frame, span, {}, {}}), Error::ok);
    expect_true("they write", comes([&] { return words()[511] > 2 * cpus(); }), words()[511]);
    expect("release", answer_to<FrameRelease>({address(memory.capability), memory.frame, 1}), Error::ok);
    expect("take it again", answer_to<FrameAlloc>({memory.frame, 1, 1, address(memory.capability)}), Error::ok);
    expect("bind it again", answer_to<Bind>({address(memory.capability), memory.frame, span, {}, {}}), Error::ok);
    linger();
    u64 sum = 0;
    for (u64 i = 0; i < 512; ++i) sum += words()[i];
    expect_true("it stays clean", sum == 0, sum);
    expect("give it back", answer_to<FrameRelease>({address(memory.capability), memory.frame, 1}), Error::ok);
    for (u64 cpu = 1; cpu < cpus(); ++cpu) {
        expect_true("who tried has ended", comes([cpu] { return !lives(children[cpu]); }), cpu);
        children[cpu].frames = {};
        destroy(contexts[cpu]);
    }
}

// --------------------------------------------------------------------------------------- tables made on all CPUs at once

constexpr u64 kSpread = 96;  // pages, each under a table of its own: more than the context has frames for
PageNumber spread_page(u64 i) { return PageNumber{0x4000'0000 + i * (kPagesPerLarge + 1)}; }
u64 misread, passes[kMaxCpus];

/// Every page holds its number.
void read_spread(Child& child) {
    u64 state = child.argument * 77 + 1;
    for (u64 i = 0;; ++i) {
        const u64 page = random_word(state) % kSpread;
        const u64 found = *reinterpret_cast<volatile u64*>(address_of(spread_page(page)).value);
        if (found != page) __atomic_add_fetch(&misread, 1, __ATOMIC_SEQ_CST);
        if (i % kSpread == 0) __atomic_add_fetch(&passes[child.argument], 1, __ATOMIC_SEQ_CST);
    }
}

void grow_tables() {
    Memory memory;
    if (!take(memory, kSpread)) return expect_true("frames to spread", false);
    misread = 0;
    for (u64 i = 0; i < kSpread; ++i) {
        const PageSpan span = PageSpan::make(spread_page(i), 1, kReadWrite);
        expect("bind it", answer_to<Bind>({address(memory.capability), memory.frame + i, span, {}, {}}), Error::ok, i);
        *reinterpret_cast<volatile u64*>(address_of(spread_page(i)).value) = i;
    }
    for (u64 cpu = 1; cpu < cpus(); ++cpu) {
        passes[cpu] = 0;
        start(cpu, read_spread, cpu);
    }
    expect_true("all get on", comes([] {
                    for (u64 cpu = 1; cpu < cpus(); ++cpu)
                        if (seen(passes[cpu]) < 3 * rounds) return false;
                    return true;
                }));
    expect_true("every page is the right one", seen(misread) == 0, misread);
    for (u64 cpu = 1; cpu < cpus(); ++cpu) stop(cpu);
    expect("give them back", answer_to<FrameRelease>({address(memory.capability), memory.frame, kSpread}), Error::ok);
}

// ------------------------------------------------------------------------------- callers, callees and sleepers elsewhere

Capability served;            // the entry that the callee published
u64 published, returned, calls, answer_of_call;

asm(R"(
    .pushsection .guaranteed.text, "ax", @progbits
exit_when_called:
    mov $3, %eax
    xor %edi, %edi
    syscall
    .popsection
)");
extern "C" void exit_when_called();

/// Publishes an entry at which it ends, or, with an argument, never answers; and waits.
void serve(Child& child) {
    const VirtAddr entry{reinterpret_cast<u64>(child.argument == 0 ? &exit_when_called : &spin)};
    static_cast<void>(answer_to<EntryPublish>({0, entry, 0, address(served)}));
    tell(published, published + 1);
    raw_call(TransferAnswer::number, {});
    spin();
}

/// Calls whatever was published last, until it is called no more. `returned` counts the calls that came to an end.
void call_on(Child&) {
    for (u64 next = 1;; ++next) {
        while (seen(published) != next) asm volatile("pause");
        static_cast<void>(answer_to<GateBind>({address(served), 0}));
        Error error;
        do {
            tell(calls, calls + 1);
            u64 rax = TransferCall::number, rdi = 0;
            // Safety: clobbers as in exokernel/abi/transfer.hpp; what the compiler has in rbx and rbp is kept below the stack.
            asm volatile("push %%rbx\n push %%rbp\n syscall\n pop %%rbp\n pop %%rbx"
                         : "+a"(rax), "+D"(rdi)
                         :
                         : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
            error = static_cast<Error>(rax);
        } while (error == Error::elsewhere || error == Error::busy);
        answer_of_call = static_cast<u64>(error);
        __atomic_add_fetch(&returned, 1, __ATOMIC_SEQ_CST);
    }
}

/// A callee ends while its caller is being moved from its CPU and back: the caller goes on once, on one CPU.
void move_callers() {
    published = returned = 0;
    start(1, call_on);
    run_in_slot(2, children[1].id);
    Capability callee_slot;
    expect("a slot for the callee", answer_to<SlotTake>({1, {kAny}, 1, address(callee_slot)}), Error::ok);
    Child& callee = children[3];
    for (u64 round = 1; round <= rounds * 4; ++round) {
        expect("make the callee", make_child(callee, "callee", serve), Error::ok, round);
        expect("place it", answer_to<EnvPlace>({address(callee.environment), 1}), Error::ok, round);
        expect("run it", answer_to<SlotRun>({address(callee_slot), SlotNumber{callee_slot.first}, 1, callee.id}), Error::ok, round);
        u64 moves = 0;
        const bool came = comes([&] {
            const Error error = answer_to<EnvPlace>({address(children[1].environment), 1 + ++moves % 2});
            if (error != Error::ok && error != Error::busy) expect("move it", error, Error::ok, moves);
            return seen(returned) >= round;
        });
        expect_true("the call came to an end", came, round);
        expect_true("the callee has ended", comes([&] { return !lives(callee); }), round);
        callee.frames = {};
    }
    linger();
    expect_true("each call came to one end", seen(returned) == rounds * 4, returned);
    stop(1);
    expect("give the slot back", answer_to<SlotRelease>({address(callee_slot), SlotNumber{callee_slot.first}, 1}), Error::ok);
}

void sleep_for_ever(Child& child) {
    static const WakeTerm never{address(misread), 0, 1, Comparison::equal, 1};
    tell(passes[child.argument], u64{1});
    static_cast<void>(answer_to<Wait>({address(never), 1, 0, 1}));
    spin();
}

/// Environments that sleep on another CPU, or wait there for an answer that does not come, end like any other; and who waited
/// for one that is ended goes on.
void end_who_waits() {
    for (u64 cpu = 1; cpu < cpus(); ++cpu) {
        passes[cpu] = 0;
        start(cpu, sleep_for_ever, cpu);
    }
    for (u64 cpu = 1; cpu < cpus(); ++cpu) {
        expect_true("about to sleep", comes([cpu] { return seen(passes[cpu]) != 0; }), cpu);
        stop(cpu);
    }
    for (const bool end_caller : {true, false}) {
        published = returned = calls = 0;
        Child& callee = children[3];
        start(1, call_on);
        expect("make the callee", make_child(callee, "callee", serve, 1), Error::ok);
        expect("place it", answer_to<EnvPlace>({address(callee.environment), 1}), Error::ok);
        Capability callee_slot;
        expect("a slot for it", answer_to<SlotTake>({1, {kAny}, 1, address(callee_slot)}), Error::ok);
        expect("run it", answer_to<SlotRun>({address(callee_slot), SlotNumber{callee_slot.first}, 1, callee.id}), Error::ok);
        expect_true("it is called", comes([] { return seen(calls) != 0; }));
        linger();
        if (end_caller) {
            stop(1);
            expect_true("the callee lives on", lives(callee));
        }
        expect("end the callee", answer_to<EnvDestroy>({address(callee.environment)}), Error::ok);
        callee.frames = {};
        if (!end_caller) {
            expect_true("the call came to an end", comes([] { return seen(returned) == 1; }), returned);
            expect_true("which says so", answer_of_call == static_cast<u64>(Error::ended) || answer_of_call == static_cast<u64>(Error::not_found),
                        answer_of_call);
            stop(1);
        }
        expect("give the slot back", answer_to<SlotRelease>({address(callee_slot), SlotNumber{callee_slot.first}, 1}), Error::ok);
    }
}

}  // namespace

int libos_main() {
    if (!open_cpus(4)) return 2;
    exchange_capabilities();
    for (u64 i = 0; i < rounds; ++i) release_what_others_have();
    for (u64 i = 0; i < rounds; ++i) grow_tables();
    move_callers();
    for (u64 i = 0; i < rounds; ++i) end_who_waits();
    expect_true("recorded", record("stops", information().stops[0], "locks", information().locks[0]).ok());
    return verdict("cpus_races");
}
