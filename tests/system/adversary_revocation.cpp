// Bad calls of those who revoke and of those who prepare for it: every argument that the calls of sys_revocation.cpp and
// the vector of upcall_set can be given wrong, and what must not change by it.
#include "secure_bindings/capability.hpp"
#include "tests/system/children.hpp"
#include "tests/system/revoked.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr u64 kHuge[] = {65537, u64{1} << 24, u64{1} << 52, ~u64{0} >> 1, ~u64{0} - 1};
const EnvId nobody = EnvId::make(60, 77);
Memory work;
Capability mine, all, weak, slot;
alignas(4096) Child child;
[[gnu::section(".guaranteed.data.upcalls")]] UpcallTable table;

Capability childs;  // frames of the child's own

void stay(Child&) {
    if (!call<FrameAlloc>({FrameNumber{kAny}, 2, 1, address(childs)})) childs = {};
    for (;;) enter_yield({});
}

void revoke_badly() {
    const u64 grace = information().grace, frames = accounts().frames, asked = accounts().asked;
    const RevocationSpec good{RevocationKind::frames, 0, kAny, 1, grace, grace};
    const auto answer = [&](auto change, const Capability& capability = all, EnvId target = boot().self) {
        RevocationSpec spec = good;
        change(spec);
        return answer_to<Revoke>({address(capability), target, address(spec)});
    };
    const auto as_it_is = [](RevocationSpec&) {};
    using S = RevocationSpec&;
    for (const u32 kind : {3u, 4u, 0x8000'0000u, ~0u})
        expect("kind", answer([=](S s) { s.kind = static_cast<RevocationKind>(kind); }), Error::bad_argument, kind);
    expect("zero", answer([](S s) { s.zero = 1; }), Error::bad_argument);
    expect("none", answer([](S s) { s.count = 0; }), Error::bad_argument);
    for (const u64 huge : kHuge) {
        expect("count", answer([=](S s) { s.count = huge; }), Error::bad_argument, huge);
        expect("named count", answer([=](S s) { s.first = 1, s.count = huge; }), Error::bad_argument, huge);
        if (huge > 65537) expect("frame", answer([=](S s) { s.first = huge; }), Error::out_of_range, huge);
        expect("slot", answer([=](S s) { s.kind = RevocationKind::slots, s.first = huge; }), Error::out_of_range, huge);
    }
    expect("a range that leaves", answer([](S s) { s.first = information().frames - 1, s.count = 2; }), Error::out_of_range);
    expect("a range that wraps", answer([](S s) { s.first = ~u64{0} - 2, s.count = 4; }), Error::out_of_range);
    expect("slots that leave", answer([](S s) { s.kind = RevocationKind::slots, s.first = information().cpus * kSlotsPerCpu - 1, s.count = 2; }), Error::out_of_range);
    expect("kernel memory by name", answer([](S s) { s.kind = RevocationKind::kernel_memory, s.first = 5; }), Error::bad_argument);
    expect("no time", answer([=](S s) { s.own_ticks = grace - 1; }), Error::bad_argument);
    expect("no clock", answer([=](S s) { s.wall_ticks = 0; }), Error::bad_argument);
    expect("without the right", answer(as_it_is, weak), Error::denied);
    expect("of another kind", answer(as_it_is, slot), Error::denied);
    expect("no capability", answer(as_it_is, Capability{}), Error::bad_capability);
    expect("not for this one", answer(as_it_is, mine, child.id), Error::out_of_range);
    expect("of nobody", answer(as_it_is, all, nobody), Error::not_found);
    expect("of nobody, mine", answer(as_it_is, mine, EnvId{0}), Error::out_of_range);
    for (const u64 huge : kHuge) expect("of a wild id", answer(as_it_is, mine, EnvId{huge << 8 | boot().self.index()}), Error::not_found, huge);
    expect("spec nowhere", answer_to<Revoke>({address(all), boot().self, VirtAddr{0x7ead'0000}}), Error::not_mapped);
    expect("spec misaligned", answer_to<Revoke>({address(all), boot().self, address(good) + 4}), Error::bad_address);
    expect("spec outside", answer_to<Revoke>({address(all), boot().self, VirtAddr{kInformation}}), Error::bad_address);
    expect_true("nothing was asked", accounts().asked == asked && accounts().frames == frames, accounts().asked);
}

void quota_badly() {
    const u64 quota = accounts().frame_quota, frames = accounts().frames, childs = environment_info(child.id).frame_quota;
    const auto set = [](const Capability& capability, EnvId target, u64 value) { return answer_to<EnvQuota>({address(capability), target, value}); };
    expect("richer by itself", set(mine, boot().self, quota + 1), Error::quota);
    for (const u64 huge : kHuge) expect("more than there is", set(all, boot().self, huge == 65537 ? information().frames + 1 : huge), Error::bad_argument, huge);
    expect("without the right", set(weak, boot().self, 1), Error::denied);
    expect("of nobody", set(all, nobody, 1), Error::not_found);
    expect("not for this one", set(mine, child.id, 1), Error::out_of_range);
    expect("a child richer than me", set(child.environment, child.id, childs + quota - frames + 1), Error::quota);
    expect("a child a little richer", set(child.environment, child.id, childs + 3), Error::ok);
    expect_true("by what I have less", accounts().frame_quota == quota - 3, accounts().frame_quota);
    expect("as before", set(child.environment, child.id, childs), Error::ok);
    expect_true("as before", accounts().frame_quota == quota, accounts().frame_quota);

    static Child poor;
    expect("frames for a child", answer_to<FrameAlloc>({FrameNumber{kAny}, kEnvFrames, 1, address(poor.frames)}), Error::ok);
    expect("below what I own", set(all, boot().self, frames - 1), Error::ok);
    Capability capability;
    expect("then none more", answer_to<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(capability)}), Error::quota);
    expect("nor many more", answer_to<FrameAlloc>({FrameNumber{kAny}, 65536, 1, address(capability)}), Error::quota);
    expect("nor for a child", make_child(poor, "poor", stay, 0, 1), Error::quota);
    expect("nothing at all", set(all, boot().self, 0), Error::ok);
    expect("then none more", answer_to<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(capability)}), Error::quota);
    expect("as before", set(all, boot().self, quota), Error::ok);
    expect("back", answer_to<FrameRelease>({address(poor.frames), FrameNumber{poor.frames.first}, kEnvFrames}), Error::ok);
}

void sample_badly() {
    static u64 bits[8];
    const FrameNumber first = work.frame;
    const auto sample = [](const Capability& capability, FrameNumber from, u64 count, VirtAddr to) {
        return answer_to<FrameSample>({address(capability), from, count, to});
    };
    expect("none", sample(all, first, 0, address(bits)), Error::bad_argument);
    expect("one too many", sample(all, first, 513, address(bits)), Error::bad_argument);
    for (const u64 huge : kHuge) {
        expect("many too many", sample(all, first, huge, address(bits)), Error::bad_argument, huge);
        expect("nowhere", sample(all, FrameNumber{huge == 65537 ? information().frames : huge}, 1, address(bits)), Error::out_of_range, huge);
    }
    expect("over the end", sample(all, FrameNumber{information().frames - 1}, 2, address(bits)), Error::out_of_range);
    expect("without the right", sample(weak, first, 1, address(bits)), Error::denied);
    expect("to nowhere", sample(all, first, 512, VirtAddr{0x7ead'0000}), Error::not_mapped);
    expect("to what is read-only", sample(all, first, 1, VirtAddr{kBootInfoAddress}), Error::not_mapped);
    expect("misaligned", sample(all, first, 1, address(bits) + 1), Error::bad_address);

    // Others' frames are none of mine; what I touch is seen once.
    for (u64& word : bits) word = ~u64{0};
    expect("others' frames", sample(child.environment, first, 64, address(bits)), Error::ok);
    expect_true("say nothing", bits[0] == 0 && bits[1] == ~u64{0}, bits[0]);
    for (u64 round = 0; round < 3; ++round) {
        expect("again", sample(mine, first, work.count, address(bits)), Error::ok);
        expect("untouched since", sample(mine, first, work.count, address(bits)), Error::ok);
        expect_true("none", bits[0] == 0, bits[0]);
        for (u64 i = round; i < work.count; i += 3) work.words()[i * kPageSize / 8] = i;
        u64 wanted = 0;
        for (u64 i = round; i < work.count; i += 3) wanted |= u64{1} << i;
        expect("now", sample(mine, first, work.count, address(bits)), Error::ok);
        expect_true("these", bits[0] == wanted, bits[0] ^ wanted);
    }
}

void autosave_badly() {
    const FrameNumber first = work.frame;
    AutosaveSpec spec{};
    const auto say = [&](AutosaveKind kind, FrameNumber from, u64 count, FrameNumber to, const Capability& destination = work.capability) {
        spec = {kind, 0, address(destination), to};
        return answer_to<Autosave>({address(work.capability), from, count, address(spec)});
    };
    const auto seed_of = [](FrameNumber frame) { return AutosaveSeed{frame_info(frame).autosave}; };
    using enum AutosaveKind;
    expect("a disk", say(extent, first, 1, first + 1), Error::bad_argument);
    expect("no kind", say(static_cast<AutosaveKind>(4), first, 1, first + 1), Error::bad_argument);
    expect("no frames", say(discard, first, 0, {}), Error::out_of_range);
    for (const u64 huge : kHuge) {
        expect("many frames", say(discard, first, huge, {}), Error::out_of_range, huge);
        expect("wild frames", say(discard, FrameNumber{huge}, 2, {}), Error::out_of_range, huge);
        expect("wild destinations", say(copy, first, 2, FrameNumber{huge}), Error::out_of_range, huge);
    }
    expect("onto itself", say(copy, first, 1, first), Error::in_use);
    expect("onto its neighbours", say(copy, first, 4, first + 2), Error::in_use);
    const Capability readable = attenuate(work.capability, {CaveatKind::rights, Rights{Right::read}.bits, 0}).value();
    expect("without leave to write", say(copy, first, 1, first + 4, readable), Error::denied);
    expect("kernel memory's capability", say(copy, first, 1, FrameNumber{child.frames.first}, child.frames), Error::stale_capability);
    expect("onto what the S-TLB is made of", say(copy, first, 1, FrameNumber{boot().stlb.first}, boot().stlb), Error::denied);
    expect("seed", say(copy, first, 2, first + 4), Error::ok);
    expect("a destination taken", say(copy, first + 2, 1, first + 4), Error::in_use);
    expect("a destination that is seeded", say(copy, first + 2, 1, first), Error::in_use);
    expect("a destination seeded", say(discard, first + 4, 1, {}), Error::in_use);
    expect("the other way round", say(copy, first + 4, 2, first), Error::in_use);
    expect("its own again, crosswise", say(copy, first, 1, first + 5), Error::in_use);
    expect("one further", say(copy, first, 2, first + 5), Error::ok);
    expect_true("the old one is free", seed_of(first + 4).bits == 0 && seed_of(first + 6).other() == first + 1);
    expect("and back", say(copy, first, 2, first + 4), Error::ok);
    expect("discard instead", say(discard, first, 1, {}), Error::ok);
    expect_true("its destination is free", seed_of(first + 4).bits == 0 && seed_of(first).kind() == discard);
    expect("nothing instead", say(none, first, 1, {}), Error::ok);
    expect_true("nothing", seed_of(first).bits == 0);

    // A destination that goes away, and a source.
    Memory vault;
    need(vault, 4);
    const auto release = [&](const Memory& memory, u64 index) { return answer_to<FrameRelease>({address(memory.capability), memory.frame + index, 1}); };
    expect("seed", say(copy, first + 8, 4, vault.frame, vault.capability), Error::ok);
    expect("a destination goes", release(vault, 1), Error::ok);
    expect_true("its source knows", seed_of(first + 9).bits == 0 && seed_of(first + 8).other() == vault.frame);
    expect("onto one that is gone", say(copy, first + 9, 1, vault.frame + 1, vault.capability), Error::stale_capability);
    expect("a source goes", release(work, 8), Error::ok);
    expect_true("its destination knows", seed_of(vault.frame).bits == 0);
    const FrameNumber foreign{childs.first};
    expect("somebody else's", answer_to<Autosave>({address(childs), foreign, 1, address(spec)}), Error::denied);
    expect("into somebody else's", say(copy, first + 12, 2, foreign, childs), Error::ok);
    expect("end whose it is", answer_to<EnvDestroy>({address(child.environment)}), Error::ok);
    expect_true("the sources know", seed_of(first + 12).bits == 0 && seed_of(first + 13).bits == 0);
}

void reserve_badly() {
    Memory many;
    if (!take(many, 70)) exit(3);
    const u64 had = accounts().reserve, room = kMaxReserve - had;
    const auto keep = [&](u64 from, u64 count, u64 how) { return answer_to<Reserve>({address(many.capability), many.frame + from, count, how}); };
    for (const u64 how : {u64{2}, ~u64{0}}) expect("how", keep(0, 1, how), Error::bad_argument);
    expect("too many", keep(0, room + 1, 1), Error::quota);
    for (const u64 huge : kHuge) expect("far too many", keep(0, huge, 1), Error::out_of_range, huge);
    expect("none", keep(0, 0, 1), Error::out_of_range);
    expect("as many as there is room for", keep(0, room, 1), Error::ok);
    expect("again", keep(0, room, 1), Error::ok);
    expect_true("counted once", accounts().reserve == kMaxReserve, accounts().reserve);
    expect("one more", keep(room, 1, 1), Error::quota);
    expect("out", keep(0, 2, 0), Error::ok);
    expect("out again", keep(0, 2, 0), Error::ok);
    expect("given back from it", answer_to<FrameRelease>({address(many.capability), many.frame + 2, 3}), Error::ok);
    expect_true("counts", accounts().reserve == kMaxReserve - 5, accounts().reserve);
    expect("what is gone", keep(2, 1, 1), Error::stale_capability);
    // Kernel memory made of the reserve is not in it.
    Capability pair;
    expect("two frames", answer_to<FrameAlloc>({FrameNumber{kAny}, kEnvFrames, 1, address(pair)}), Error::ok);
    expect("kept", answer_to<Reserve>({address(pair), FrameNumber{pair.first}, kEnvFrames, 1}), Error::ok);
    static Child made;
    made.frames = pair;
    expect("made into a child", make_child(made, "reserved", stay), Error::ok);
    expect_true("out of the reserve", accounts().reserve == kMaxReserve - 5, accounts().reserve);
    expect("a child's frames", answer_to<Reserve>({address(pair), FrameNumber{pair.first}, kEnvFrames, 1}), Error::stale_capability);
    expect("ended", answer_to<EnvDestroy>({address(made.environment)}), Error::ok);
    expect("the rest back", answer_to<FrameRelease>({address(many.capability), many.frame + 5, 65}), Error::ok);
    expect_true("as before", accounts().reserve == had, accounts().reserve);
}

void vector_badly() {
    Memory page, other;
    need(page, kEnvFrames);
    if (!take(other, 1)) exit(3);
    const u64 save = address(libos_save_area).value;
    expect("misaligned", set_upcalls(table, page.at(8)), Error::bad_address);
    expect("outside", set_upcalls(table, VirtAddr{kInformation}), Error::bad_address);
    expect("the save area", set_upcalls(table, VirtAddr{save}), Error::conflict);
    const PageSpan ordinary = PageSpan::make(other.page, 1, Right::read | Right::write);
    expect("bind", answer_to<Bind>({address(other.capability), other.frame, ordinary, {}, {}}), Error::ok);
    expect("not guaranteed", set_upcalls(table, other.at()), Error::denied);
    expect("read-only", set_upcalls(table, VirtAddr{kBootInfoAddress}), Error::denied);
    const PageSpan twice = PageSpan::make(other.page, 1, Right::read | Right::write).with(SpanFlag::guaranteed);
    const FrameNumber save_frame = boot().image_frame + (page_of(VirtAddr{save}) - boot().image_page);
    expect("the save area's frame elsewhere", answer_to<Bind>({address(boot().image), save_frame, twice, {}, {}}), Error::ok);
    expect("the save area's frame", set_upcalls(table, other.at()), Error::conflict);
    expect("a vector", set_upcalls(table, page.at()), Error::ok);
    expect("given back", answer_to<FrameRelease>({address(page.capability), page.frame, 1}), Error::in_use);
    static Child made;
    made.frames = page.capability;
    expect("made kernel memory", make_child(made, "vector", stay), Error::in_use);
    expect("again", set_upcalls(table, page.at()), Error::ok);
    expect("none", set_upcalls(table, {}), Error::ok);
    expect("given back", answer_to<FrameRelease>({address(page.capability), page.frame, kEnvFrames}), Error::ok);
}

}  // namespace

int libos_main() {
    mine = boot().environment;
    all = boot().every_environment;
    slot = boot().slots[0];
    weak = attenuate(all, {CaveatKind::rights, (Right::release | Right::use).bits, 0}).value();
    need(work, 16);
    expect("a child", make_child(child, "bait", stay, 0, 10), Error::ok);
    while (childs.kind == ResourceKind::none) yield(child.id);
    revoke_badly();
    quota_badly();
    sample_badly();
    expect("a child's frames in the reserve", answer_to<Reserve>({address(childs), FrameNumber{childs.first}, 1, 1}), Error::denied);
    autosave_badly();  // ends the child
    reserve_badly();
    vector_badly();
    return verdict("revocation calls");
}
