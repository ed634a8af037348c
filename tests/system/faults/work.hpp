// What victims do: one function a kind of step, none of which ever ends well for sure. A step leaves what it got lying
// about in half of the cases, so that whoever is killed holds something.
#pragma once

#include "tests/system/faults/victim.hpp"

namespace tessera::faults {

inline void compute(Victim& victim) {
    enter(victim, Doing::computing);
    volatile double real = 1.0;
    double sum = 0;
    const u64 rounds = 1 + below(victim, 2000);
    for (u64 i = 0; i < rounds; ++i) sum += real;
    expect_true("a sum in SSE registers changed", sum == static_cast<double>(rounds), rounds);
}

inline void yield_somewhere(Victim& victim) {
    enter(victim, Doing::yielding);
    EnvId target{};
    if (!one_in(victim, 3)) target = EnvId{environment_info(EnvId{below(victim, kMaxEnvironments)}).id};
    yield(target);
}

/// Bindings of the common frames at its own pages, made, changed and dropped.
inline void bind(Victim& victim) {
    enter(victim, Doing::binding);
    const PageNumber page = own_page(victim, below(victim, kOwnPages / 2));
    const u64 offset = below(victim, Commons::kFrames), count = 1 + below(victim, Commons::kFrames - offset);
    const PageSpan span = PageSpan::make(page, count, one_in(victim, 3) ? Rights{Right::read} : Right::read | Right::write);
    switch (below(victim, 8)) {
        case 0: attempt<Unbind>({span, {}}); break;
        case 1: attempt<Protect>({span, {}}); break;
        case 2: attempt<ClearBits>({span, 1 + below(victim, 3), {}}); break;
        case 3: {
            const PageNumber first{victim.entry.page};
            attempt<Rebind>({address(victim.entry), PageSpan::make(first, 1 + below(victim, victim.entry.count + 1), Right::read), {}});
            break;
        }
        case 4: attempt<CapabilityCheck>({address_of(page)}); break;
        case 5: {
            const u64 frames = address(commons.frames).value;
            victim.batch[0] = {Unbind::number, {span.bits, 0}, Error::ok, 0};
            victim.batch[1] = {Bind::number, {frames, commons.first.value + offset, span.bits, 0, 0}, Error::ok, 0};
            victim.batch[2] = {Protect::number, {span.bits, 0}, Error::ok, 0};
            attempt<Batch>({address(victim.batch[0]), 3});
            break;
        }
        default:
            attempt<Bind>({address(commons.frames), commons.first + offset, span, {},
                           one_in(victim, 2) ? address(victim.entry) : VirtAddr{}});
    }
}

/// Writes to a common frame, which may be taken away between any two words: then it dies of it.
inline void touch(Victim& victim) {
    enter(victim, Doing::touching);
    const PageNumber page = own_page(victim, kOwnPages / 2 + below(victim, 4));
    const PageSpan span = PageSpan::make(page, 1, Right::read | Right::write).with(SpanFlag::guaranteed);
    const FrameNumber frame = commons.first + below(victim, Commons::kFrames);
    if (attempt<Bind>({address(commons.frames), frame, span, {}, {}}).error != Error::ok) return;
    volatile u64* words = words_at(page);
    for (u64 i = 0, rounds = below(victim, 400); i < rounds; ++i) words[below(victim, kPageSize / 8)] = victim.child.id.value;
    if (!one_in(victim, 8)) attempt<Unbind>({span, {}});
}

/// Frames of its own, with something in them that must stay.
inline void use_memory(Victim& victim) {
    enter(victim, Doing::memory);
    const u64 count = 1 + below(victim, 4);
    const auto taken = attempt<FrameAlloc>({FrameNumber{kAny}, count, 1, address(victim.scratch)});
    if (taken.error != Error::ok) return;
    const PageSpan span = PageSpan::make(own_page(victim, kOwnPages - 4), count, Right::read | Right::write).with(SpanFlag::guaranteed);
    if (attempt<Bind>({address(victim.scratch), FrameNumber{taken.value}, span, {}, {}}).error == Error::ok) {
        volatile u64* words = words_at(span.page());
        const u64 mark = victim.random;
        for (u64 i = 0; i < count * kPageSize / 8; i += 37) {
            expect_true("a frame that was not empty", words[i] == 0, words[i]);
            words[i] = mark + i;
        }
        if (one_in(victim, 2)) yield();
        for (u64 i = 0; i < count * kPageSize / 8; i += 37) expect_true("a word of its own changed", words[i] == mark + i, words[i]);
    }
    if (one_in(victim, 6)) return;  // keeps them, bound, until it dies
    attempt<FrameRelease>({address(victim.scratch), FrameNumber{taken.value}, count});
}

inline void make_context(Victim& victim) {
    enter(victim, Doing::contexts);
    ContextSpec spec{address(victim.scratch), 128, 16, 16};
    const auto frames = attempt<FrameAlloc>({FrameNumber{kAny}, spec.frames_needed(), 1, address(victim.scratch)});
    if (frames.error != Error::ok) return;
    if (attempt<ContextCreate>({address(spec), address(victim.grant)}).error != Error::ok) return;
    const PageSpan span = PageSpan::make(own_page(victim, 0), Commons::kFrames, Right::read);
    attempt<Bind>({address(commons.frames), commons.first, span, address(victim.grant.context), {}});
    if (!one_in(victim, 6)) attempt<ContextDestroy>({address(victim.grant.context)});
}

inline void take_slots(Victim& victim) {
    enter(victim, Doing::slots);
    const auto slot = attempt<SlotTake>({below(victim, information().cpus), SlotNumber{kAny}, 1, address(victim.scratch)});
    if (slot.error != Error::ok) return;
    attempt<SlotRun>({address(victim.scratch), SlotNumber{slot.value}, 1, EnvId{environment_info(EnvId{below(victim, kMaxEnvironments)}).id}});
    if (one_in(victim, 2)) yield();
    if (!one_in(victim, 6)) attempt<SlotRelease>({address(victim.scratch), SlotNumber{slot.value}, 1});
}

}  // namespace tessera::faults
