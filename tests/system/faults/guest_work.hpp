// What victims do with guests, in ring 3 and with SVM: they make them, load them with contexts of their own, of their nursery, of
// another victim or of somebody else's altogether, run them, halt, and take apart what others run in. So whoever is killed is in a
// guest, or stands in the memory of who is, or both, and takes with it who stands in its own.
#pragma once

#include "tests/system/faults/work.hpp"
#include "tests/system/guest_machine.hpp"

// The guests' program, at the beginning of their page of code: write rbx into the common frames, one after the other, ecx times, or
// for ever if that is 0; then halt, or with edx call the monitor first. r9 to r11 lead from one frame to the next.
extern "C" const tessera::u8 victim_guest[], victim_guest_end[];
asm(R"(
    .pushsection .rodata.victim_guest, "a", @progbits
    .globl victim_guest, victim_guest_end
victim_guest:
    mov %rbx, (%rdi)
    add %r9, %rdi
    and %r10, %rdi
    or %r11, %rdi
    dec %ecx
    jnz victim_guest
    test %edx, %edx
    jz 1f
    vmmcall
1:  hlt
    jmp victim_guest
victim_guest_end:
    .popsection
)");

namespace tessera::faults {

inline constexpr u64 kGuestsAVictim = 3, kPlacesAGuest = 4;
inline constexpr u64 kFirstStatePage = kOwnPages - 16;  ///< Of its own pages: where it has its guests' state pages.
// A guest's pages that are common frames: so far apart (1 GiB) that a context has not the tables for all of them, each with an entry
// of the S-TLB for itself.
inline constexpr u64 kGigabyte = 0x4'0000, kGuestCommons = 16 * kGigabyte + 6, kCommonsApart = kGigabyte + 8;
inline constexpr u64 kContextKinds = 3;                 ///< For guests.
inline constexpr u64 kContextPost = 3;                  ///< Where on the board a context is shown that anybody may load.

/// The guests of one victim.
struct Monitor {
    struct VirtualCpu {
        bool made;
        u64 number;
        GuestGrant grant;
        GuestForm form;
        Capability contexts[kPlacesAGuest];  ///< What it was loaded with last.
    } guests[kGuestsAVictim];
    Capability frames, shown;
    GuestSpec guest_spec;
    ContextSpec context_spec;
    ContextGrant made;
};
inline Monitor monitors[2 * kPlaces];

/// Contexts for guests: of the victims by place, and behind them of the nursery itself, one of each kind.
inline ContextGrant guest_contexts[2 * kPlaces + kContextKinds];

/// Tables, code and data of all guests. The nursery's, which never gives it back.
inline Memory guest_program;
inline u64 guest_loads, guest_runs[2], guest_misses, guest_ends[3];  // runs by form; halted, called, preempted
inline void count_one(u64& what) { __atomic_fetch_add(&what, 1, __ATOMIC_RELAXED); }

/// False: there is no memory for it.
inline bool make_guest_program() {
    if (!take(guest_program, kGuestMemory) || bind_all(guest_program) != Error::ok) return false;
    write_tables(guest_program);
    for (u64 i = 0; i < Commons::kFrames; ++i)  // mapped to themselves, by pages of 1 GiB
        guest_program.words()[512 + 16 + i] = (16 + i) * kGigabyte << kPageShift | 0x87;
    for (const u8* byte = victim_guest; byte != victim_guest_end; ++byte)
        guest_program.bytes()[(kCode << kPageShift) + static_cast<u64>(byte - victim_guest)] = *byte;
    return true;
}

/// What a guest is to find at a page of its: its program, or a common frame.
inline void bind_guest_page(const Capability& context, PageNumber page) {
    const PageSpan span = PageSpan::make(page, 1, Right::read | Right::write | Right::execute);
    const u64 common = (page.value - kGuestCommons) / kCommonsApart;
    if (page.value < kGuestMemory)
        attempt<Bind>({address(guest_program.capability), guest_program.frame + page.value, span, address(context), {}});
    else if (common < Commons::kFrames)
        attempt<Bind>({address(commons.frames), commons.first + common, span, address(context), {}});
}

/// A context of that kind, or on a CPU that has no such, one for ring 3; `spec` and `frames` are where it is said.
inline Error make_guest_context(ContextKind kind, ContextSpec& spec, Capability& frames, ContextGrant& grant) {
    spec = {address(frames), 128, 16, 16, kind};
    const auto taken = attempt<FrameAlloc>({FrameNumber{kAny}, spec.frames_needed(), 1, address(frames)});
    if (taken.error != Error::ok) return taken.error;
    Error made = attempt<ContextCreate>({address(spec), address(grant)}).error;
    if (made == Error::unsupported) {
        spec.kind = ContextKind::deprivileged;
        made = attempt<ContextCreate>({address(spec), address(grant)}).error;
    }
    if (made != Error::ok) {
        attempt<FrameRelease>({address(frames), FrameNumber{taken.value}, spec.frames_needed()});
        return made;
    }
    for (u64 i = 0; i < kGuestMemory; ++i) bind_guest_page(grant.context, PageNumber{i});
    for (u64 i = 0; i < Commons::kFrames; ++i) bind_guest_page(grant.context, PageNumber{kGuestCommons + i * kCommonsApart});
    return Error::ok;
}
inline ContextKind context_kind(u64 number) { return ContextKind{static_cast<u64>(ContextKind::deprivileged) + number % kContextKinds}; }

/// Makes one for others to load, or takes one apart: its own, or whosever it can reach; who is loaded with it keeps it.
inline void change_contexts(Victim& victim) {
    enter(victim, Doing::guests);
    Monitor& monitor = monitors[victim.place];
    if (one_in(victim, 3)) {
        const u64 whose = one_in(victim, 2) ? victim.place : below(victim, 2 * kPlaces);
        attempt<ContextDestroy>({address(guest_contexts[whose].context)});
        return;
    }
    if (make_guest_context(context_kind(below(victim, kContextKinds)), monitor.context_spec, monitor.frames, monitor.made) != Error::ok) return;
    guest_contexts[victim.place] = monitor.made;
    if (one_in(victim, 2)) attempt<PostCapability>({address(monitor.made.context), kContextPost, 0});
}

/// A frame of its own, where guests in its context or the nursery's find a common one. When it is given back, it is theirs no more,
/// on whichever CPU they are: got again, it stays empty.
inline void lend_frame(Victim& victim) {
    enter(victim, Doing::guests);
    const auto taken = attempt<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(victim.scratch)});
    if (taken.error != Error::ok) return;
    const FrameNumber frame{taken.value};
    const PageNumber there{kGuestCommons + below(victim, Commons::kFrames) * kCommonsApart};
    const ContextGrant& context = guest_contexts[one_in(victim, 2) ? victim.place : 2 * kPlaces + below(victim, kContextKinds)];
    attempt<Bind>({address(victim.scratch), frame, PageSpan::make(there, 1, Right::read | Right::write), address(context.context), {}});
    if (one_in(victim, 2)) yield_somewhere(victim);
    else compute(victim);
    enter(victim, Doing::guests);
    if (one_in(victim, 6)) return;
    attempt<FrameRelease>({address(victim.scratch), frame, 1});
    if (attempt<FrameAlloc>({frame, 1, 1, address(victim.scratch)}).error != Error::ok) return;
    const PageSpan here = PageSpan::make(own_page(victim, kOwnPages - 4), 1, Right::read).with(SpanFlag::guaranteed);
    if (attempt<Bind>({address(victim.scratch), frame, here, {}, {}}).error == Error::ok)
        for (u64 again = 0; again < 8; ++again) {
            u64 written = 0;
            for (u64 i = 0; i < kPageSize / 8; ++i) written += static_cast<const volatile u64*>(words_at(here.page()))[i] != 0;
            expect_true("somebody's guest wrote to a frame that was given back", written == 0, written);
        }
    attempt<FrameRelease>({address(victim.scratch), frame, 1});
}

/// It can have been taken by force: then its number is nobody's, or another's.
inline bool is_there(const Monitor::VirtualCpu& guest) {
    return guest.made && attempt<CapabilityCheck>({address(guest.grant.state)}).error == Error::ok;
}

inline void make_guest(Victim& victim, u64 which) {
    Monitor& monitor = monitors[victim.place];
    Monitor::VirtualCpu& guest = monitor.guests[which];
    guest = {};
    const auto taken = attempt<FrameAlloc>({FrameNumber{kAny}, kGuestFrames, 1, address(monitor.frames)});
    if (taken.error != Error::ok) return;
    guest.form = one_in(victim, 3) ? GuestForm::deprivileged : GuestForm::svm;
    monitor.guest_spec = {address(monitor.frames), guest.form};
    auto made = attempt<GuestCreate>({address(monitor.guest_spec), address(guest.grant)});
    if (made.error == Error::unsupported) {
        monitor.guest_spec.form = guest.form = GuestForm::deprivileged;
        made = attempt<GuestCreate>({address(monitor.guest_spec), address(guest.grant)});
    }
    if (made.error != Error::ok) {
        attempt<FrameRelease>({address(monitor.frames), FrameNumber{taken.value}, kGuestFrames});
        return;
    }
    guest.number = made.value;
    const PageSpan span = PageSpan::make(own_page(victim, kFirstStatePage + which), 1, Right::read | Right::write).with(SpanFlag::guaranteed);
    if (attempt<Bind>({address(guest.grant.state), FrameNumber{guest.grant.state.first}, span, {}, {}}).error != Error::ok) return;
    guest.made = true;
    const volatile u64* words = words_at(span.page());
    for (u64 i = 0; i < kPageSize / 8; i += 7) expect_true("a state page that was not empty", words[i] == 0, words[i]);
}

inline void change_guests(Victim& victim) {
    enter(victim, Doing::guests);
    const u64 which = below(victim, kGuestsAVictim);
    Monitor::VirtualCpu& guest = monitors[victim.place].guests[which];
    if (!is_there(guest)) return make_guest(victim, which);
    if (!one_in(victim, 4)) return;
    guest.made = false;
    const Error answer = attempt<GuestDestroy>({guest.number}).error;
    expect_true("ended, or taken by force", answer == Error::ok || answer == Error::not_found, static_cast<u64>(answer));
}

/// With a context of its own, of its nursery, of any victim's here, or of whoever shows one.
inline void load(Victim& victim, Monitor::VirtualCpu& guest, u64 place) {
    const auto any = [&](auto& contexts, u64 count, u64 first = 0) { return contexts[first + below(victim, count)].context; };
    Capability& context = monitors[victim.place].shown;
    switch (below(victim, 8)) {
        case 0: context = post_of(EnvId{below(victim, kMaxEnvironments)}, kContextPost).capability; break;
        case 1:
        case 2: context = any(guest_contexts, 2 * kPlaces); break;
        case 3:
        case 4: context = guest.form == GuestForm::svm ? any(guest_contexts, 2, 2 * kPlaces + 1) : any(guest_contexts, 1, 2 * kPlaces); break;
        default: context = any(guest_contexts, 1, victim.place); break;
    }
    const bool empties = one_in(victim, 16);
    const Error answer = attempt<GuestLoad>({guest.number, place, empties ? VirtAddr{} : address(context)}).error;
    if (answer != Error::ok || empties) return;
    guest.contexts[place] = context;
    count_one(guest_loads);
}

inline void load_guest(Victim& victim) {
    enter(victim, Doing::guests);
    Monitor::VirtualCpu& guest = monitors[victim.place].guests[below(victim, kGuestsAVictim)];
    if (is_there(guest)) load(victim, guest, below(victim, kPlacesAGuest));
}

/// After an exit. False: its victim turns to something else.
inline bool goes_on(Victim& victim, const Monitor::VirtualCpu& guest, u64 place, GuestState& state, u64 exit) {
    constexpr u64 kGeneralProtection = static_cast<u64>(GuestExit::exception) + 13, kInvalidOpcode = static_cast<u64>(GuestExit::exception) + 6,
                  kFault = static_cast<u64>(GuestExit::exception) + 14;
    switch (exit) {
        case static_cast<u64>(GuestExit::interrupted): count_one(guest_ends[2]); return true;
        case static_cast<u64>(GuestExit::hlt):
        case kGeneralProtection:
            count_one(guest_ends[0]);
            state.rip += 1;
            if (one_in(victim, 2)) yield_somewhere(victim);
            return true;
        case static_cast<u64>(GuestExit::vmmcall):
        case kInvalidOpcode:
            count_one(guest_ends[1]);
            state.rip += 3;
            return !one_in(victim, 4);
        case static_cast<u64>(GuestExit::nested_fault):
        case kFault:
            count_one(guest_misses);
            state.event = 0;
            bind_guest_page(guest.contexts[place], page_of(VirtAddr{state.info[1]}));
            return !one_in(victim, 8);
        default: expect_true("an exit that its program can cause", false, exit); return false;
    }
}

inline void run_guest(Victim& victim) {
    enter(victim, Doing::guests);
    const u64 which = below(victim, kGuestsAVictim), place = below(victim, kPlacesAGuest);
    Monitor::VirtualCpu& guest = monitors[victim.place].guests[which];
    if (!is_there(guest)) return make_guest(victim, which);
    GuestState& state = *reinterpret_cast<GuestState*>(address_of(own_page(victim, kFirstStatePage + which)).value);
    set_long_mode(state);
    const u64 mark = victim.random;
    state.rbx = mark;
    state.r15 = ~mark;
    state.rcx = one_in(victim, 2) ? 0 : 1 + below(victim, 3000);
    state.rdx = below(victim, 2);
    state.r9 = (kCommonsApart << kPageShift) + 8 * below(victim, kPageSize / 8);
    state.r10 = (Commons::kFrames - 1) * kCommonsApart << kPageShift | (kPageSize - 8);  // a power of two of them: both parts wrap around
    state.rdi = state.r11 = kGuestCommons << kPageShift;
    for (u64 runs = 1 + below(victim, 24); runs != 0; --runs) {
        enter(victim, Doing::in_guest);
        const Answer exit = attempt<GuestRun>({guest.number, place});
        enter(victim, Doing::guests);
        if (exit.error != Error::ok) {
            expect_true("nothing at that place, or it was taken by force", exit.error == Error::not_found, static_cast<u64>(exit.error));
            load(victim, guest, place);
            continue;
        }
        count_one(guest_runs[static_cast<u64>(guest.form)]);
        if (!is_there(guest)) return;
        expect_true("its own registers", state.rbx == mark && state.r15 == ~mark, state.exit);
        expect_true("its exit", state.exit == exit.value, exit.value);
        if (!goes_on(victim, guest, place, state, exit.value)) return;
        if (!is_there(guest)) return;
    }
}

}  // namespace tessera::faults
