// A libOS that forges, widens, truncates, replays and lends capabilities. Everything that a holder can do to the
// bytes is tried; whatever is not a narrowing done right must be refused, and what is dead must stay dead.
#include <sodium/crypto_shorthash_siphash24.h>

#include "secure_bindings/capability.hpp"
#include "tests/system/attack.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

Memory good, edge, spare;
Capability work;  // what is presented

Error check(const Capability& capability) { return answer_to<CapabilityCheck>({address(capability)}); }

Error bind_at(const Capability& capability, FrameNumber frame, PageSpan span) {
    return answer_to<Bind>({address(capability), frame, span, {}, {}});
}

constexpr Rights kReadWrite = Right::read | Right::write;

void flip_every_bit() {
    for (u64 bit = 0; bit < kCapabilityRootSize * 8; ++bit) {
        work = good.capability;
        reinterpret_cast<u8*>(&work)[bit / 8] ^= static_cast<u8>(1 << bit % 8);
        expect("one bit flipped", check(work), Error::bad_capability, bit);
        expect("one bit flipped, to release", answer_to<FrameRelease>({address(work), good.frame, 1}), Error::bad_capability, bit);
        expect("one bit flipped, to bind", bind_at(work, good.frame, PageSpan::make(spare.page, 1, Right::read)),
               Error::bad_capability, bit);
    }
}

void random_bytes() {
    u64 state = 0x7e55e7a;
    for (u64 i = 0; i < 500; ++i) {
        u64* words = reinterpret_cast<u64*>(&work);
        for (u64 w = 0; w < sizeof work / 8; ++w) words[w] = random_word(state);
        if (i % 2 != 0) {  // canonical up to the tag
            work = good.capability;
            work.first = random_word(state) & 0xffff;
            work.grant = random_word(state) & 0xff;
            work.tag[0] = random_word(state);
            work.tag[1] = random_word(state);
        }
        expect("random bytes", check(work), Error::bad_capability, i);
    }
    work = Capability{};
    expect("all zero", check(work), Error::bad_capability);
    expect("all zero, to release", answer_to<FrameRelease>({address(work), good.frame, 1}), Error::bad_capability);
    __builtin_memset(static_cast<void*>(&work), 0xff, sizeof work);
    expect("all ones", check(work), Error::bad_capability);
}

/// A genuine capability of the wrong kind opens nothing.
void other_kinds() {
    const Capability* const kinds[] = {&boot().environment, &boot().context, &boot().slots[0]};
    for (const Capability* one : kinds) {
        work = *one;
        expect("of another kind, to release frames", answer_to<FrameRelease>({address(work), good.frame, 1}), Error::denied);
        expect("of another kind, to bind", bind_at(work, good.frame, PageSpan::make(spare.page, 1, Right::read)), Error::denied);
        expect("of another kind, to rebind", answer_to<Rebind>({address(work), PageSpan::make(spare.page, 1, Right::read), {}}),
               Error::denied);
        for (u64 kind = 0; kind < 256; ++kind) {
            if (kind == static_cast<u64>(one->kind)) continue;
            work = *one;
            work.kind = static_cast<ResourceKind>(kind);
            expect("kind renamed", check(work), Error::bad_capability, kind);
        }
    }
    work = good.capability;
    expect("frames as slots", answer_to<SlotRelease>({address(work), {0}, 1}), Error::denied);
    expect("frames as slots", answer_to<SlotRun>({address(work), {0}, 1, {}}), Error::denied);
    expect("frames as an environment", answer_to<EnvDestroy>({address(work)}), Error::denied);
    expect("frames as a context", answer_to<ContextDestroy>({address(work)}), Error::denied);
    expect("frames as the context to bind into",
           answer_to<Bind>({address(work), good.frame, PageSpan::make(spare.page, 1, Right::read), address(work), {}}), Error::denied);
    work = boot().context;
    expect("a context without release", answer_to<ContextDestroy>({address(work)}), Error::denied);
}

/// Capabilities that end where the bound memory ends.
void truncated() {
    const u64 end = kPageSize;
    for (u64 size = 8; size <= kCapabilityRootSize; size += 8) {
        __builtin_memcpy(edge.bytes() + end - size, &good.capability, size);
        const Answer answer = raw_call(CapabilityCheck::number, {edge.at(end - size).value});
        const bool whole = size == kCapabilityRootSize;
        expect("cut off by the end of memory", answer.error, whole ? Error::ok : Error::not_mapped, size);
        if (!whole) expect_true("names the missing page", answer.value == edge.at(end).value, answer.value);
    }
    for (u64 claimed = 1; claimed < 256; ++claimed) {
        Capability liar = good.capability;
        liar.caveats = static_cast<u8>(claimed);
        __builtin_memcpy(edge.bytes() + end - kCapabilityRootSize, &liar, kCapabilityRootSize);
        expect("claims caveats behind the end", raw_call(CapabilityCheck::number, {edge.at(end - kCapabilityRootSize).value}).error,
               claimed > kMaxCaveats ? Error::bad_capability : Error::not_mapped, claimed);
    }
}

void narrowed(Caveat caveat) { work = attenuate(good.capability, caveat).value(); }

/// Narrowing works, and cannot be taken back.
void widened() {
    narrowed(only_rights(Right::read));
    const auto rights = call<CapabilityCheck>({address(work)});
    expect_true("a narrowing is good", rights.ok() && rights.value() == Rights{Right::read}.bits);
    expect("narrowed to read, to write", bind_at(work, good.frame, PageSpan::make(spare.page, 1, kReadWrite)), Error::denied);
    expect("narrowed to read, to release", answer_to<FrameRelease>({address(work), good.frame, 1}), Error::denied);
    const Capability narrow = work;
    work.caveat[0].a = kAllRights.bits;
    expect("caveat rewritten", check(work), Error::bad_capability);
    work = narrow;
    work.caveats = 0;
    expect("caveat dropped", check(work), Error::bad_capability);
    work = narrow;
    work.tag[0] = good.capability.tag[0], work.tag[1] = good.capability.tag[1];
    expect("caveat kept, tag of the root", check(work), Error::bad_capability);
    work = attenuate(narrow, only_rights(kAllRights)).value();
    const auto still = call<CapabilityCheck>({address(work)});
    expect_true("a wider caveat behind widens nothing", still.ok() && still.value() == Rights{Right::read}.bits);
    work = attenuate(narrow, only_range(good.frame.value + 1, 1)).value();
    expect("outside its range", bind_at(work, good.frame, PageSpan::make(spare.page, 1, Right::read)), Error::out_of_range);
    expect("inside its range", bind_at(work, good.frame + 1, PageSpan::make(spare.page, 1, Right::read)), Error::ok);
    expect("half out of its range", bind_at(work, good.frame + 1, PageSpan::make(spare.page, 2, Right::read)), Error::out_of_range);
    const Capability two = work;
    work.caveat[0] = two.caveat[1], work.caveat[1] = two.caveat[0];
    expect("caveats in another order", check(work), Error::bad_capability);
    work = two;
    work.caveats = 1;
    expect("last caveat dropped", check(work), Error::bad_capability);
    work = two;
    work.caveats = 3;
    expect("one caveat too many", check(work), Error::bad_capability);
    work = attenuate(two, only_range(good.frame.value, 1)).value();
    expect("ranges without a common frame", check(work), Error::denied);
}

/// Caveats that the library would not make, with tags that are right all the same.
void malformed_caveats() {
    const Caveat caveats[] = {
        {CaveatKind{0}, 0, 0}, {CaveatKind{5}, 0, 0}, {CaveatKind{~u64{0}}, 1, 1},
        {CaveatKind::rights, ~u64{0}, 0}, {CaveatKind::rights, 1, 1},
        {CaveatKind::range, 0, 0}, {CaveatKind::range, ~u64{0}, 2}, {CaveatKind::range, 2, ~u64{0}},
        {CaveatKind::presenter, 0, 0}, {CaveatKind::presenter, u64{1} << 32, 0}, {CaveatKind::presenter, 1, 1},
        {CaveatKind::expiry, ~u64{0}, 1},
    };
    for (const Caveat& caveat : caveats) {
        work = good.capability;
        work.caveat[work.caveats++] = caveat;
        crypto_shorthash_siphashx24(reinterpret_cast<u8*>(work.tag), reinterpret_cast<const u8*>(&caveat), sizeof caveat,
                                    reinterpret_cast<const u8*>(good.capability.tag));
        expect("caveat that is not canonical, tag right", check(work), Error::bad_capability, caveat.a);
    }
}

/// For somebody else, or for a time that is over.
void lent() {
    const EnvId self = boot().self;
    narrowed(only_presenter(self));
    expect("presented by whom it names", check(work), Error::ok);
    const Capability mine = work;
    work = attenuate(mine, only_presenter(EnvId::make(self.index() + 1, 1))).value();
    expect("two presenters", check(work), Error::denied);
    for (const EnvId other : {EnvId::make(self.index() + 1, 1), EnvId::make(self.index(), self.generation() + 1), EnvId{~u32{0}}}) {
        narrowed(only_presenter(other));
        expect("somebody else's", check(work), Error::denied, other.value);
        expect("somebody else's, to bind", bind_at(work, good.frame, PageSpan::make(spare.page, 1, Right::read)), Error::denied, other.value);
    }
    narrowed(only_until(ticks() + information().quantum));
    expect("not expired yet", check(work), Error::ok);
    Capability entry;
    expect("bound while it is good", answer_to<Bind>({address(work), good.frame, PageSpan::make(spare.page, 1, kReadWrite), {}, address(entry)}),
           Error::ok);
    while (ticks() <= work.caveat[0].a) {
    }
    expect("expired", check(work), Error::denied);
    expect("expired, to bind", bind_at(work, good.frame, PageSpan::make(spare.page, 1, Right::read)), Error::denied);
    expect("its TLB entry outlives it", answer_to<Rebind>({address(entry), PageSpan::make(spare.page, 1, kReadWrite), {}}), Error::denied);
}

/// Everything made for a grant is dead with it.
void replayed() {
    Memory memory;
    if (!take(memory, 2)) exit(3);
    Capability entry;
    const PageSpan span = PageSpan::make(memory.page, 2, kReadWrite);
    expect("bind", answer_to<Bind>({address(memory.capability), memory.frame, span, {}, address(entry)}), Error::ok);
    memory.words()[0] = 0x5ec2e7;
    expect("release", answer_to<FrameRelease>({address(memory.capability), memory.frame, 2}), Error::ok);
    const auto all_dead = [&](const char* when, u64 stage) {
        expect(when, check(memory.capability), Error::stale_capability, stage);
        expect(when, bind_at(memory.capability, memory.frame, span), Error::stale_capability, stage);
        expect(when, answer_to<FrameRelease>({address(memory.capability), memory.frame, 2}), Error::stale_capability, stage);
        expect(when, answer_to<Rebind>({address(entry), span, {}}), Error::stale_capability, stage);
        expect(when, raw_call(LogWrite::number, {memory.at().value, 1}).error, Error::not_mapped, stage);
    };
    all_dead("after release", 1);
    Capability again;
    expect("take the very same", answer_to<FrameAlloc>({memory.frame, 2, 1, address(again)}), Error::ok);
    all_dead("after somebody took it again", 2);
    expect("bind it anew", bind_at(again, memory.frame, span), Error::ok);
    expect_true("no old bytes", memory.words()[0] == 0, memory.words()[0]);
    expect("half of it back", answer_to<FrameRelease>({address(again), memory.frame, 1}), Error::ok);
    expect("both with half gone", answer_to<FrameRelease>({address(again), memory.frame, 2}), Error::stale_capability);
    expect("the dead half", answer_to<FrameRelease>({address(again), memory.frame, 1}), Error::stale_capability);
    expect("bind across the hole", bind_at(again, memory.frame, span), Error::stale_capability);
    expect("the live half", answer_to<FrameRelease>({address(again), memory.frame + 1, 1}), Error::ok);
}

/// What was made for one context opens no other, and dies with it.
void other_context() {
    Memory pool;
    const ContextSpec shape{{}, 128, 16, 16};
    if (!take(pool, shape.frames_needed())) exit(3);
    ContextSpec spec = shape;
    spec.frames = address(pool.capability);
    ContextGrant grant;
    expect("make a context", answer_to<ContextCreate>({address(spec), address(grant)}), Error::ok);
    expect("its frames are the kernel's", check(pool.capability), Error::stale_capability);
    expect("its frames, to release", answer_to<FrameRelease>({address(pool.capability), pool.frame, 1}), Error::stale_capability);
    Capability entry;
    const PageSpan span = PageSpan::make(spare.page, 1, kReadWrite);
    expect("bind over there", answer_to<Bind>({address(good.capability), good.frame, span, address(grant.context), address(entry)}), Error::ok);
    expect("its TLB entry here", answer_to<Rebind>({address(entry), span, {}}), Error::denied);
    expect("its TLB entry there", answer_to<Rebind>({address(entry), span, address(grant.context)}), Error::ok);
    expect("another page", answer_to<Rebind>({address(entry), PageSpan::make(spare.page + 1, 1, kReadWrite), address(grant.context)}),
           Error::out_of_range);
    expect("a page before", answer_to<Rebind>({address(entry), PageSpan::make(PageNumber{spare.page.value - 1}, 1, kReadWrite), address(grant.context)}),
           Error::out_of_range);
    expect("large for small", answer_to<Rebind>({address(entry), span.with(SpanFlag::large), address(grant.context)}), Error::out_of_range);
    expect("two for one", answer_to<Rebind>({address(entry), PageSpan::make(spare.page, 2, kReadWrite), address(grant.context)}), Error::out_of_range);
    expect("S-TLB writable", bind_at(grant.stlb, FrameNumber{grant.stlb.first}, PageSpan::make(spare.page, 1, kReadWrite)), Error::denied);
    expect("S-TLB executable", bind_at(grant.stlb, FrameNumber{grant.stlb.first}, PageSpan::make(spare.page, 1, Right::read | Right::execute)),
           Error::denied);
    expect("S-TLB released", answer_to<FrameRelease>({address(grant.stlb), FrameNumber{grant.stlb.first}, 1}), Error::denied);
    expect("S-TLB made readable", bind_at(grant.stlb, FrameNumber{grant.stlb.first}, PageSpan::make(spare.page, 1, Right::read)), Error::ok);
    expect("and writable behind that", answer_to<Protect>({PageSpan::make(spare.page, 1, kReadWrite), {}}), Error::denied);
    expect("end the context", answer_to<ContextDestroy>({address(grant.context)}), Error::ok);
    expect("end it twice", answer_to<ContextDestroy>({address(grant.context)}), Error::stale_capability);
    expect("bind into a dead one", answer_to<Bind>({address(good.capability), good.frame, span, address(grant.context), {}}), Error::stale_capability);
    expect("its TLB entry", answer_to<Rebind>({address(entry), span, address(grant.context)}), Error::stale_capability);
    expect("its TLB entry here", answer_to<Rebind>({address(entry), span, {}}), Error::denied);
    expect("its S-TLB", bind_at(grant.stlb, FrameNumber{grant.stlb.first}, PageSpan::make(spare.page, 1, Right::read)), Error::stale_capability);
    expect("its S-TLB's page is gone", raw_call(LogWrite::number, {spare.at().value, 1}).error, Error::not_mapped);
}

}  // namespace

int libos_main() {
    need(good, 4);
    need(edge, 1);
    if (!take(spare, 4)) return 3;
    flip_every_bit();
    random_bytes();
    other_kinds();
    truncated();
    widened();
    malformed_caveats();
    lent();
    replayed();
    other_context();
    return verdict("capabilities");
}
