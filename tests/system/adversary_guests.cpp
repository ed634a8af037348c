// A monitor that proposes anything, and guests that execute anything: random bytes as code, as state, as page tables, in
// both forms and all kinds of context, while contexts lose pages and guests come and go. Nothing is known of what comes
// out but that the kernel answers, that a slice ends, and that the words on a page that no guest was given stay as they are.
#include "tests/system/guest_machine.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

u64 seed;
u64 random() { return random_word(seed); }
u64 below(u64 n) { return random() % n; }

Memory memory;   // what guests are given
Memory secret;   // what they are not
constexpr u64 kPages = 16;
constexpr Rights kEverything = Right::read | Right::write | Right::execute;

GuestContext contexts[3];
TestGuest guests[2];
bool with_svm;
u64 kinds_of_exit[0x600 / 64 + 1], runs, refused;

/// Random, but often enough something that means something.
u64 likely_word() {
    switch (below(6)) {
        case 0: return random();
        case 1: return random() & 0xffff;
        case 2: return u64{1} << below(64);
        case 3: return below(kPages) << kPageShift;
        case 4: return ~u64{0} << below(64);
        default: return 0;
    }
}

void random_state(GuestState& state) {
    u64* words = reinterpret_cast<u64*>(&state);
    if (below(2) == 0) set_long_mode(state);
    const u64 changes = 1 + below(8);
    for (u64 i = 0; i < changes; ++i) words[below(sizeof state / 8)] = likely_word();
    if (below(3) == 0) state.event = GuestEvent::kValid | (random() & (below(2) ? 0xfff : ~u64{0}));
    if (below(8) == 0)
        for (u64 i = 0; i < sizeof state / 8; ++i) words[i] = likely_word();
    state.changed = below(4) == 0 ? likely_word() : kAllGuestParts;
}

/// With a few prefixes between?
bool leads_to_0f(const u8* bytes, u64 count) {
    for (u64 i = 0; i < 4 && i < count; ++i)
        if (bytes[i] == 0x0f) return true;
    return false;
}

/// What the emulator must not be given. `iret` is tried by virtual_8086.cpp: one that gets it wrong gives ring 3 all ports with it, and
/// then what random code does to a bystander is not the kernel's fault. And TCG 7.2 itself gives up at a LOCK BTS, BTR or BTC of a register.
void spare_emulator(u8* bytes, u64 count) {
    for (u64 i = 0; i < count; ++i)
        if (bytes[i] == 0xcf || (bytes[i] == 0xf0 && leads_to_0f(bytes + i + 1, count - i - 1))) bytes[i] = 0x90;
}

void random_memory() {
    u8* bytes = memory.bytes();
    if (below(4) == 0) {
        const u64 flags = 1 | (random() & 0x1fe);
        write_tables(memory, flags);
    } else if (below(4) == 0) {
        for (u64 i = 0; i < 3 * 512; ++i) memory.words()[i] = likely_word();
        spare_emulator(bytes, 3 * kPageSize);
    }
    const u64 length = 1 + below(64);
    u8* code = bytes + (kCode << kPageShift);
    for (u64 i = 0; i < length; ++i) code[i] = static_cast<u8>(random());
    // Some that an arbitrary byte rarely makes: two-byte opcodes of system instructions.
    if (below(2) == 0) {
        constexpr u8 kSystem[] = {0x00, 0x01, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0b, 0x20, 0x21, 0x22, 0x23, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0xa2, 0xae, 0xc7};
        const u64 at = below(16);
        code[at] = 0x0f;
        code[at + 1] = kSystem[below(sizeof kSystem)];
    }
    spare_emulator(code, kPageSize);
}

/// Whatever the answer is.
template <class Call>
void attempt(const typename Call::Args& args) {
    static_cast<void>(call<Call>(args));
}

void random_binding() {
    const GuestContext& context = contexts[below(with_svm ? 3 : 1)];
    const VirtAddr named = address(context.grant.context);
    const u64 page = below(8) == 0 ? random() & (kGuestPages - 1) : below(kPages), frame = below(kPages);
    const u64 flags = below(4) == 0 ? random() & 0x7f : 0;
    switch (below(4)) {
        case 0: attempt<Unbind>({PageSpan::make(PageNumber{page}, 1 + below(4)), named}); break;
        case 1: attempt<Protect>({PageSpan::make(PageNumber{page}, 1 + below(4), Rights{static_cast<u32>(random() & 7)}), named}); break;
        default:
            attempt<Bind>({address(memory.capability), memory.frame + frame, PageSpan::make(PageNumber{page}, 1, kEverything, flags), named, {}});
    }
}

void bind_all_guest_memory() {
    for (u64 i = 0; i < (with_svm ? 3 : 1); ++i)
        for (u64 page = 0; page < kPages; ++page)
            attempt<Bind>({address(memory.capability), memory.frame + page, PageSpan::make(PageNumber{page}, 1, kEverything),
                        address(contexts[i].grant.context), {}});
}

void load_all(TestGuest& guest, GuestForm form) {
    for (u64 i = 0; i < 3; ++i)
        if ((form == GuestForm::svm) == (i != 0)) attempt<GuestLoad>({guest.number, i, address(contexts[i].grant.context)});
}

void again(TestGuest& guest, GuestForm form) {
    expect("destroy", answer_to<GuestDestroy>({guest.number}), Error::ok);
    expect("its frames are free", answer_to<FrameAlloc>({guest.memory.frame, kGuestFrames, 1, address(guest.memory.capability)}), Error::ok);
    expect("which are ours again", answer_to<FrameRelease>({address(guest.memory.capability), guest.memory.frame, kGuestFrames}), Error::ok);
    expect("make", make_guest(guest, form), Error::ok);
    load_all(guest, form);
}

}  // namespace

int libos_main() {
    const u64 rounds = argument("rounds", 1000);
    seed = argument("seed", 1);
    seed = seed * 0x9e37'79b9'7f4a'7c15 | 1;
    need(memory, kPages);
    need(secret, 1);
    for (u64 i = 0; i < 512; ++i) secret.words()[i] = 0x5ec2e7 + i;
    expect("a context for ring 3", make_context(contexts[0], ContextKind::deprivileged), Error::ok);
    with_svm = make_context(contexts[1], ContextKind::shadow) == Error::ok;
    if (with_svm && make_context(contexts[2], ContextKind::nested) != Error::ok) contexts[2] = contexts[1];
    expect("a guest", make_guest(guests[0], GuestForm::deprivileged), Error::ok);
    load_all(guests[0], GuestForm::deprivileged);
    if (with_svm) {
        expect("a guest with SVM", make_guest(guests[1], GuestForm::svm), Error::ok);
        load_all(guests[1], GuestForm::svm);
    }
    for (u64 round = 0; round < rounds; ++round) {
        const u64 which = with_svm ? below(2) : 0;
        TestGuest& guest = guests[which];
        random_memory();
        if (below(4) == 0) bind_all_guest_memory();
        if (below(2) == 0) random_binding();
        random_state(guest.state());
        for (u64 steps = 0; steps < 8; ++steps) {
            const auto exit = call<GuestRun>({guest.number, below(16) == 0 ? random() : which == 0 ? 0 : 1 + below(2)});
            ++attempts;
            if (!exit) {
                ++refused;
                expect_true("why", exit.error() == Error::bad_argument || exit.error() == Error::not_found, static_cast<u64>(exit.error()));
                break;
            }
            ++runs;
            if (exit.value() < 0x600) kinds_of_exit[exit.value() / 64] |= u64{1} << exit.value() % 64;
            if (exit.value() == static_cast<u64>(GuestExit::interrupted)) break;
            guest.state().rip += 1 + below(3);
            if (below(4) == 0) guest.state().event = 0;
        }
        if (below(64) == 0) again(guest, which == 0 ? GuestForm::deprivileged : GuestForm::svm);
    }
    for (u64 i = 0; i < 512; ++i) expect_true("the secret", secret.words()[i] == 0x5ec2e7 + i, i);
    u64 kinds = 0;
    for (const u64 word : kinds_of_exit) kinds += static_cast<u64>(__builtin_popcountll(word));
    print("guests ran ", runs, " times, ", refused, " proposals refused, ", kinds, " kinds of exit\n");
    expect_true("many kinds of exit", kinds >= (with_svm ? 10u : 5u), kinds);
    return verdict("guests");
}
