// What it costs to take a translation away that other CPUs may hold: unbinding a page of a context that is on one CPU, on
// two, on all; and giving back a frame that other contexts have bound, on other CPUs. Before each round everybody concerned
// has touched the page, so that its CPU holds the translation. On one CPU under icount a tick is an instruction.
//
//   role=shooter rounds=N   unbinds and gives back, in the ticks of the TSC, and says how often everything was stopped for it
//   role=holder number=N    binds what it is offered; as many take part as there are other CPUs, at least one
#include "bench/system/sample.hpp"
#include "libos/core/pages.hpp"

using namespace tessera;
using namespace tessera::bench;

namespace {

constexpr Rights kReadWrite = Right::read | Right::write;
constexpr u64 kMostHolders = 3, kMostRounds = 500;
constexpr PageNumber kMeeting{0x20'0380}, kPage{0x20'0381};

/// A page that the shooter and the holders share.
struct Meeting {
    Capability offered;         ///< A frame,
    u64 round;                  ///< in this round. kAny: it is over.
    u64 held[kMostHolders];     ///< The last round whose frame the holder has bound and touched.
};
Meeting& meeting() { return *reinterpret_cast<Meeting*>(address_of(kMeeting).value); }

template <class T>
T seen(const T& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }
template <class T>
void tell(T& word, T value) { __atomic_store_n(&word, value, __ATOMIC_RELEASE); }

/// Wait for another environment: one on this CPU gets to run.
template <class Fact>
void await(Fact fact) {
    while (!fact()) enter_yield({});
}

void bind(const Capability& frame, PageNumber page) {
    sure("bind", call<Bind>({address(frame), FrameNumber{frame.first}, PageSpan::make(page, 1, kReadWrite), {}, {}}));
}
void take_frame(Capability& frame) { sure("frame", call<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(frame)})); }
void touch() { load(address_of(kPage)); }

u64 cpus() { return information().cpus; }
u64 holders() { return cpus() > 1 ? std::min(cpus() - 1, kMostHolders) : 1; }

// ------------------------------------------------------------------------------------------------- over our own context

/// An environment over this context that reads the page once a round, until round kAny.
static_assert(Exit::number == 3);
struct Sibling {
    u64 page;
    u64 round, touched;
    EnvId id;
    Capability frames, slot, environment;
};
Sibling siblings[kMaxCpus];
extern "C" [[noreturn]] void bench_sibling();
asm(R"(
    .pushsection .guaranteed.text, "ax", @progbits
bench_sibling:                          # rdi: its Sibling
    mov (%rdi), %rbx
1:  pause
    mov 8(%rdi), %rax
    cmp 16(%rdi), %rax
    je 1b
    cmp $-1, %rax
    je 2f
    mov (%rbx), %ecx
    mov %rax, 16(%rdi)
    jmp 1b
2:  mov $3, %eax                        # exit
    xor %edi, %edi
    syscall
    .popsection
)");

void start_sibling(u64 cpu) {
    Sibling& one = siblings[cpu];
    one.page = address_of(kPage).value;
    sure("sibling", call<SlotTake>({cpu, {kAny}, 1, address(one.slot)}));
    sure("sibling", call<FrameAlloc>({FrameNumber{kAny}, kEnvFrames, 1, address(one.frames)}));
    const EnvSpec spec{address(boot().context), address(one.frames), VirtAddr{reinterpret_cast<u64>(bench_sibling)}, address(one).value, 0, "sibling"};
    one.id = sure("sibling", call<EnvCreate>({address(spec), address(one.environment)}));
    sure("sibling", call<EnvPlace>({address(one.environment), cpu}));
    sure("sibling", call<SlotRun>({address(one.slot), SlotNumber{one.slot.first}, 1, one.id}));
}

// --------------------------------------------------------------------------------------------------------------- measuring

u64 ticks_taken[kMostRounds];

/// `prepare(round)` before each round; `shoot()` is what is measured. Everything is stopped once for it if and only if one of
/// the `others` CPUs may hold the translation.
template <class Prepare, class Shoot>
void measure_shots(const char* what, u64 others, Prepare prepare, Shoot shoot) {
    const u64 rounds = std::min(argument("rounds", 100), kMostRounds);
    const u64 stops = others != 0;
    u64 locks = 0;
    for (u64 round = 1; round <= kWarmUp + rounds; ++round) {
        prepare(round);
        const u64 stops_before = information().stops[0], locks_before = information().locks[0], before = ticks();
        const Answer answer = shoot();
        const u64 lasted = ticks() - before;
        if (answer.error != Error::ok) give_up(what, tessera::name_of(answer.error));
        if (round <= kWarmUp) continue;
        ticks_taken[round - kWarmUp - 1] = lasted;
        if (information().stops[0] - stops_before != stops) give_up(what, "stopped everything too often, or not");
        locks += information().locks[0] - locks_before;
    }
    std::sort(ticks_taken, ticks_taken + rounds);
    if (!record("shot", what, "others", others, "cpus", cpus(), "rounds", rounds, "least", ticks_taken[0], "median",
                ticks_taken[rounds / 2], "stops", stops, "locks", locks)
             .ok())
        give_up(what, "its record was refused");
}

void measure_unbind(u64 on_cpus) {
    static Capability frame;
    if (frame.count == 0) take_frame(frame);
    measure_shots("unbind", on_cpus - 1,
                  [on_cpus](u64) {
                      bind(frame, kPage);
                      touch();
                      for (u64 cpu = 1; cpu < on_cpus; ++cpu) {
                          tell(siblings[cpu].round, siblings[cpu].round + 1);
                          await([cpu] { return seen(siblings[cpu].touched) == siblings[cpu].round; });
                      }
                  },
                  [] { return enter_kernel<Unbind>({PageSpan::make(kPage, 1, Right::read), {}}); });
}

u64 rounds_offered;

/// `others`: the holders have it, too.
void measure_release(bool others) {
    static Capability frame;
    measure_shots(others ? "release_bound_elsewhere" : "release_bound_here", others && cpus() > 1 ? holders() : 0,
                  [others](u64) {
                      take_frame(frame);
                      bind(frame, kPage);
                      touch();
                      if (!others) return;
                      meeting().offered = frame;
                      tell(meeting().round, ++rounds_offered);
                      for (u64 i = 0; i < holders(); ++i) await([i] { return seen(meeting().held[i]) == rounds_offered; });
                  },
                  [] { return enter_kernel<FrameRelease>({address(frame), FrameNumber{frame.first}, 1}); });
}

int be_shooter() {
    if (!pin_image().ok()) give_up("shooter", "the image does not fit among the guaranteed mappings");
    static Capability shared;
    take_frame(shared);
    bind(shared, kMeeting);
    meeting() = {};
    sure("post", call<PostCapability>({address(shared), 0, 0}));
    for (u64 on_cpus = 1; on_cpus <= cpus(); on_cpus *= 2) {
        for (u64 cpu = on_cpus / 2; cpu < on_cpus; ++cpu)
            if (cpu != 0) start_sibling(cpu);
        measure_unbind(on_cpus);
    }
    for (Sibling& one : siblings) {
        tell(one.round, kAny);
        await([&one] { return !one.id || seen(environment_info(one.id).id) != one.id.value; });
    }
    measure_release(false);
    measure_release(true);
    tell(meeting().round, kAny);
    for (u64 i = 0; i < holders(); ++i) await([i] { return seen(meeting().held[i]) == kAny; });
    return 0;
}

int be_holder() {
    const u64 number = argument("number", 0);
    if (number >= holders()) return 0;  // not wanted on so few CPUs
    static Capability frame;
    const auto posted = [] {  // by the only one who posts
        for (u64 i = 1; i < kMaxEnvironments; ++i)
            if (const Post& post = post_of(EnvId{i}, 0); seen(post.owner) != 0) return &post;
        return static_cast<const Post*>(nullptr);
    };
    const auto sleep = [] { sure("wait", call<Wait>({{}, 0, ticks() + information().tsc_hz / 1000, 0})); };
    while (posted() == nullptr) sleep();
    frame = posted()->capability;
    bind(frame, kMeeting);
    while (seen(meeting().round) == 0) sleep();  // its CPU is for the siblings meanwhile
    for (u64 round = 1;; ++round) {
        await([round] { return seen(meeting().round) >= round; });
        if (seen(meeting().round) == kAny) return tell(meeting().held[number], kAny), 0;
        frame = meeting().offered;
        bind(frame, kPage);
        touch();
        tell(meeting().held[number], round);
    }
}

}  // namespace

int libos_main() { return argument("role") == "shooter" ? be_shooter() : be_holder(); }
