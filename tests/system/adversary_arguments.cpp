// A libOS that makes every call with every kind of bad argument: wild, unaligned, kernel-range, non-canonical and
// wrapping pointers, counts that are zero, huge or wrapping, numbers that are no calls, and memory that vanishes
// under the call that uses it. Each gets the error that the ABI names, and nothing has changed then.
#include "tests/system/attack.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr u64 kUserEnd = kUserPages << kPageShift;
constexpr Rights kReadWrite = Right::read | Right::write;

Memory good, scratch;
Capability out;
[[gnu::aligned(64)]] BatchedCall calls[Batch::kMaxCount + 1];

/// A call that would succeed or fail late, with the place of one pointer in it.
struct Victim {
    const char* name;
    u64 number;
    std::array<u64, 5> words;
    u64 pointer;   ///< Index of the word to spoil.
    u64 size;      ///< Bytes read or written there.
    bool writes;
    bool optional; ///< Zero means: none.
};

void wild_pointers() {
    const u64 span = PageSpan::make(scratch.page, 1, Right::read).bits;
    const u64 capability = address(good.capability).value, answer = address(out).value;
    const Victim victims[] = {
        {"frame_alloc", FrameAlloc::number, {kAny, 1, 1, 0}, 3, sizeof out, true, false},
        {"frame_release", FrameRelease::number, {0, good.frame.value, 1}, 0, 64, false, false},
        {"context_create spec", ContextCreate::number, {0, answer}, 0, sizeof(ContextSpec), false, false},
        {"context_destroy", ContextDestroy::number, {0}, 0, 64, false, false},
        {"bind", Bind::number, {0, good.frame.value, span, 0, 0}, 0, 64, false, false},
        {"bind context", Bind::number, {capability, good.frame.value, span, 0, 0}, 3, 64, false, true},
        {"bind tlb_entry", Bind::number, {capability, good.frame.value, span, 0, 0}, 4, sizeof out, true, true},
        {"rebind", Rebind::number, {0, span, 0}, 0, 64, false, false},
        {"rebind context", Rebind::number, {capability, span, 0}, 2, 64, false, true},
        {"unbind context", Unbind::number, {span, 0}, 1, 64, false, true},
        {"protect context", Protect::number, {span, 0}, 1, 64, false, true},
        {"clear_bits context", ClearBits::number, {span, 3, 0}, 2, 64, false, true},
        {"slot_take", SlotTake::number, {0, kAny, 1, 0}, 3, sizeof out, true, false},
        {"slot_release", SlotRelease::number, {0, 0, 1}, 0, 64, false, false},
        {"slot_run", SlotRun::number, {0, 0, 1}, 0, 64, false, false},
        {"env_create spec", EnvCreate::number, {0, answer}, 0, sizeof(EnvSpec), false, false},
        {"env_destroy", EnvDestroy::number, {0}, 0, 64, false, false},
        {"upcall_set", UpcallSet::number, {0}, 0, sizeof(UpcallTable), false, false},
        {"capability_check", CapabilityCheck::number, {0}, 0, 64, false, false},
        {"batch", Batch::number, {0, 2}, 0, 128, false, false},
    };
    const u64 unbound = scratch.at(kPageSize).value;
    for (const Victim& victim : victims) {
        const auto with = [&](u64 pointer) {
            std::array<u64, 5> words = victim.words;
            words[victim.pointer] = pointer;
            return raw_call(victim.number, words);
        };
        // Never bindable, or misaligned, or wrapping.
        for (const u64 pointer : {u64{1}, u64{4}, scratch.at(1).value, scratch.at(7).value, kUserEnd, kUserEnd - 8, kInformation,
                                  u64{0x0000'8000'0000'0000}, u64{0x0000'7fff'ffff'fff8}, u64{0x8000'0000'0000'0000},
                                  u64{0xffff'7fff'ffff'fff8}, u64{0xffff'8000'0000'0000}, u64{0xffff'ffff'8020'0000},
                                  ~u64{7}, ~u64{63}, ~u64{0}})
            expect(victim.name, with(pointer).error, Error::bad_address, pointer);
        // Could be bound, but is not: the answer names the page.
        for (const u64 pointer : {u64{0}, u64{8}, unbound, unbound - victim.size + 8, kUserEnd - kPageSize}) {
            if (pointer == 0 && victim.optional) continue;
            const Answer answer_ = with(pointer);
            expect(victim.name, answer_.error, Error::not_mapped, pointer);
            expect_true(victim.name, answer_.value >= pointer && answer_.value - pointer < victim.size, answer_.value);
        }
        // Bound, but not for writing.
        if (victim.writes) expect(victim.name, with(address(boot()).value).error, Error::not_mapped, 1);
    }
    for (const u64 number : {LogWrite::number, RecordWrite::number}) {
        for (const u64 pointer : {kUserEnd, kUserEnd - 1, kInformation, u64{0x0000'8000'0000'0000}, u64{0xffff'8000'0000'0000},
                                  u64{0xffff'ffff'8020'0000}, ~u64{0}, ~u64{0} - 1})
            expect("text", raw_call(number, {pointer, 2}).error, Error::bad_address, pointer);
        expect("text", raw_call(number, {unbound - 1, 2}).error, Error::not_mapped);
        expect("text", raw_call(number, {0, 1}).error, Error::not_mapped);
        for (const u64 length : {u64{4097}, u64{1} << 32, u64{1} << 63, ~u64{0}})
            expect("length", raw_call(number, {scratch.at().value, length}).error, Error::bad_argument, length);
    }
    expect("no text at all", raw_call(LogWrite::number, {~u64{0}, 0}).error, Error::ok);
}

/// Pointers within what pointers point at.
void nested_pointers() {
    for (const u64 pointer : {u64{4}, kUserEnd, kInformation, u64{0xffff'8000'0000'0000}, ~u64{7}}) {
        ContextSpec context{VirtAddr{pointer}, 128, 16, 16};
        ContextGrant grant;
        expect("context_create frames", answer_to<ContextCreate>({address(context), address(grant)}), Error::bad_address, pointer);
        context.frames = address(good.capability);
        expect("context_create grant", answer_to<ContextCreate>({address(context), VirtAddr{pointer}}), Error::bad_address, pointer);
        EnvSpec env{VirtAddr{pointer}, address(good.capability), VirtAddr{kImageAddress}, 0, 0, "x"};
        expect("env_create context", answer_to<EnvCreate>({address(env), address(out)}), Error::bad_address, pointer);
        env.context = address(boot().context), env.frames = VirtAddr{pointer};
        expect("env_create frames", answer_to<EnvCreate>({address(env), address(out)}), Error::bad_address, pointer);
        env.frames = address(good.capability);
        expect("env_create capability", answer_to<EnvCreate>({address(env), VirtAddr{pointer}}), Error::bad_address, pointer);
        UpcallTable table{VirtAddr{pointer}, {}, {}};
        expect("save area", answer_to<UpcallSet>({address(table)}), Error::bad_address, pointer);
        if (pointer < kUserEnd) continue;
        for (u64 kind = 0; kind < kUpcallKinds; ++kind) {
            table = UpcallTable{address(libos_save_area), {}, {}};
            table.entry[kind] = VirtAddr{pointer};
            expect("upcall entry", answer_to<UpcallSet>({address(table)}), Error::bad_address, pointer);
        }
        env.entry = VirtAddr{pointer};
        expect("env_create entry", answer_to<EnvCreate>({address(env), address(out)}), Error::bad_address, pointer);
    }
    EnvSpec env{{}, address(good.capability), VirtAddr{kImageAddress}, 0, 0, "x"};
    expect("no context", answer_to<EnvCreate>({address(env), address(out)}), Error::not_mapped);
    env.context = address(boot().context);
    expect("four frames for two", answer_to<EnvCreate>({address(env), address(out)}), Error::out_of_range);
    for (const char* name : {"", "A", "a b", "a\n", "\x1b[2J", "tessera", "0123456789abcdef"}) {
        for (u64 i = 0; i < sizeof env.name; ++i) env.name[i] = 0;
        for (u64 i = 0; i < sizeof env.name && name[i] != 0; ++i) env.name[i] = name[i];
        expect("name", answer_to<EnvCreate>({address(env), address(out)}), Error::bad_argument, static_cast<u64>(name[0]));
    }
    env = EnvSpec{address(boot().context), address(good.capability), VirtAddr{kImageAddress}, 0, kAny, "x"};
    env.name[3] = 'y';  // behind the end
    expect("name with a tail", answer_to<EnvCreate>({address(env), address(out)}), Error::bad_argument);
}

void counts() {
    const auto alloc = [](u64 first, u64 count, u64 alignment) {
        return answer_to<FrameAlloc>({FrameNumber{first}, count, alignment, address(out)});
    };
    for (const u64 count : {u64{0}, FrameAlloc::kMaxCount + 1, u64{1} << 63, kAny}) {
        expect("frames", alloc(kAny, count, 1), Error::bad_argument, count);
        expect("named frames", alloc(good.frame.value, count, 1), Error::bad_argument, count);
    }
    for (const u64 alignment : {u64{0}, u64{3}, u64{1} << 17, u64{1} << 63, kAny})
        expect("alignment", alloc(kAny, 1, alignment), Error::bad_argument, alignment);
    const u64 there = information().frames;
    for (const u64 first : {there, there - 1, kAny - 1, u64{1} << 52, u64{1} << 63})
        expect("frames that are not there", alloc(first, 2, 1), Error::out_of_range, first);
    expect("frame zero", alloc(0, 1, 1), Error::conflict);
    expect("the kernel's first frame", alloc(0x200, 1, 1), Error::conflict);
    expect("my own frame again", alloc(good.frame.value, 1, 1), Error::conflict);
    expect("more than the quota", alloc(kAny, accounts().frame_quota - accounts().frames + 1, 1), Error::quota);
    expect("much more than the quota", alloc(kAny, FrameAlloc::kMaxCount, 1), Error::quota);

    const auto release = [](u64 first, u64 count) {
        return answer_to<FrameRelease>({address(good.capability), FrameNumber{first}, count});
    };
    const u64 mine = good.frame.value;
    for (const u64 count : {u64{0}, good.count + 1, u64{1} << 63, kAny, kAny - mine})
        expect("release so many", release(mine, count), Error::out_of_range, count);
    for (const u64 first : {u64{0}, mine - 1, mine + good.count, kAny, u64{1} << 63})
        expect("release from there", release(first, 1), Error::out_of_range, first);

    const auto bind = [](u64 first, PageSpan span) {
        return answer_to<Bind>({address(good.capability), FrameNumber{first}, span, {}, {}});
    };
    const PageNumber page = scratch.page + 8;
    for (const u64 first : {u64{0}, mine - 1, mine + good.count, kAny, u64{1} << 63})
        expect("bind from there", bind(first, PageSpan::make(page, 1, kReadWrite)), Error::out_of_range, first);
    for (const u64 count : {good.count + 1, u64{0xffff}})
        expect("bind so many", bind(mine, PageSpan::make(page, count, kReadWrite)), Error::out_of_range, count);
    expect("bind none", bind(mine, PageSpan::make(page, 0, kReadWrite)), Error::out_of_range);
    expect("bind over the end", bind(mine, PageSpan::make(PageNumber{kUserPages - 1}, 2, kReadWrite)), Error::bad_argument);
    expect("bind the information", bind(mine, PageSpan::make(PageNumber{kUserPages}, 1, kReadWrite)), Error::bad_argument);
    expect("bind the last page there is", bind(mine, PageSpan{u64{1} << 48 | 0xffff'ffff'f003}), Error::bad_argument);
    expect("bind write-only", bind(mine, PageSpan::make(page, 1, Right::write)), Error::bad_argument);
    expect("bind without rights", bind(mine, PageSpan::make(page, 1)), Error::bad_argument);
    for (u64 bit = 6; bit < 12; ++bit)
        expect("span with a reserved bit", bind(mine, PageSpan{PageSpan::make(page, 1, kReadWrite).bits | u64{1} << bit}), Error::bad_argument, bit);
    expect("large out of small", bind(mine, PageSpan::make(PageNumber{512}, 1, kReadWrite).with(SpanFlag::large)), Error::out_of_range);
    expect("protect nothing", answer_to<Protect>({PageSpan::make(page, 0, Right::read), {}}), Error::bad_argument);
    expect("protect over the end", answer_to<Protect>({PageSpan::make(PageNumber{kUserPages - 1}, 2, Right::read), {}}), Error::bad_argument);
    for (const u64 bits : {u64{0}, ~u64{0}, PageSpan::make(PageNumber{kUserPages - 1}, 2).bits, PageSpan::make(PageNumber{kUserPages}, 1).bits}) {
        const auto unbound = call<Unbind>({PageSpan{bits}, {}});
        expect_true("unbind nowhere", !unbound.ok() || unbound.value() == 0, bits);
        const auto cleared = call<ClearBits>({PageSpan{bits}, 3, {}});
        expect_true("clear nowhere", !cleared.ok() || cleared.value() == 0, bits);
    }
    const PageNumber far{u64{1} << 30};
    expect("unbind as many unbound pages as may be", answer_to<Unbind>({PageSpan::make(far, PageSpan::kMaxPages), {}}), Error::ok);
    expect("unbind one more", answer_to<Unbind>({PageSpan::make(far, PageSpan::kMaxPages + 1), {}}), Error::bad_argument);
    expect("unbind too many large ones", answer_to<Unbind>({PageSpan::make(far, 17).with(SpanFlag::large), {}}), Error::bad_argument);

    const auto slots = [](u64 cpu, u64 first, u64 count) {
        return answer_to<SlotTake>({cpu, SlotNumber{first}, count, address(out)});
    };
    const u64 all = information().cpus * kSlotsPerCpu;
    for (const u64 cpu : {information().cpus, u64{64}, u64{1} << 58, kAny}) expect("slot of no CPU", slots(cpu, kAny, 1), Error::out_of_range, cpu);
    for (const u64 count : {u64{0}, u64{2}, kAny}) expect("any slots", slots(0, kAny, count), Error::out_of_range, count);
    for (const u64 first : {all, all - 1, kAny - 1, u64{1} << 63}) expect("no such slots", slots(0, first, 2), Error::out_of_range, first);
    for (const u64 count : {u64{0}, all + 1, u64{1} << 63, kAny}) expect("so many slots", slots(0, 0, count), Error::out_of_range, count);
    expect("a slot of mine again", slots(0, boot().slots[0].first, 1), Error::conflict);
    const auto taken = call<SlotTake>({0, SlotNumber{kAny}, 1, address(out)});
    expect_true("take one", taken.ok());
    const u64 slot = taken.ok() ? taken.value().value : 0;
    expect("the same slot twice", slots(0, slot, 1), Error::conflict);
    for (const u64 count : {u64{0}, u64{2}, u64{1} << 63, kAny}) {
        expect("release so many slots", answer_to<SlotRelease>({address(out), SlotNumber{slot}, count}), Error::out_of_range, count);
        expect("run in so many slots", answer_to<SlotRun>({address(out), SlotNumber{slot}, count, {}}), Error::out_of_range, count);
    }
    for (const u64 first : {slot - 1, slot + 1, kAny, u64{1} << 63})
        expect("release another slot", answer_to<SlotRelease>({address(out), SlotNumber{first}, 1}), Error::out_of_range, first);
    expect("release it", answer_to<SlotRelease>({address(out), SlotNumber{slot}, 1}), Error::ok);
    expect("release it twice", answer_to<SlotRelease>({address(out), SlotNumber{slot}, 1}), Error::stale_capability);
    expect("run in it", answer_to<SlotRun>({address(out), SlotNumber{slot}, 1, {}}), Error::stale_capability);

    ContextGrant grant;
    for (const ContextSpec& spec : {ContextSpec{{}, 0, 16, 16}, ContextSpec{{}, 64, 16, 16}, ContextSpec{{}, 129, 16, 16},
                                    ContextSpec{{}, 131072, 16, 16}, ContextSpec{{}, 128, 8, 16}, ContextSpec{{}, 128, 17, 16},
                                    ContextSpec{{}, 128, 2048, 16}, ContextSpec{{}, 128, 16, 15}, ContextSpec{{}, 128, 16, 513},
                                    ContextSpec{{}, kAny, kAny, kAny}, ContextSpec{{}, u64{1} << 63, u64{1} << 63, u64{1} << 63}}) {
        ContextSpec bad = spec;
        bad.frames = address(good.capability);
        expect("context of a bad shape", answer_to<ContextCreate>({address(bad), address(grant)}), Error::bad_argument, bad.stlb);
    }
    const ContextSpec larger{address(good.capability), 128, 16, 16};
    expect("context of too few frames", answer_to<ContextCreate>({address(larger), address(grant)}), Error::out_of_range);
    expect("yield to nobody", raw_call(Yield::number, {0x3f}).error, Error::not_found);
    expect("yield to index 255", raw_call(Yield::number, {kAny}).error, Error::not_found);
    expect("yield to an old me", raw_call(Yield::number, {boot().self.value + 256}).error, Error::not_found);
    expect("yield to a wider me", raw_call(Yield::number, {boot().self.value + (u64{1} << 32)}).error, Error::not_found);
}

void unknown_numbers() {
    for (const u64 number : {Syscalls::count, Syscalls::count + 1, u64{255}, u64{1} << 31, u64{1} << 32, (u64{1} << 32) + 1,
                             (u64{1} << 32) + Exit::number, (u64{1} << 63) + Exit::number, u64{0xffff'ffff}, ~u64{0}, ~u64{0} << 3})
        expect("no such call", raw_call(number, {1, 1, 1, 1, 1}).error, Error::unknown_call, number);
}

void batches() {
    for (const u64 count : {u64{0}, Batch::kMaxCount + 1, u64{1} << 32, u64{1} << 63, kAny})
        expect("batch of so many", answer_to<Batch>({address(calls[0]), count}), Error::bad_argument, count);
    for (const u64 number : {Yield::number, Exit::number, Batch::number, Syscalls::count, (u64{1} << 32) + Exit::number, ~u64{0}}) {
        calls[0] = {number, {0, 0, 0, 0, 0}, Error::ok, 0};
        calls[1] = {NullCall::number, {}, Error::bad_argument, 7};
        const auto made = call<Batch>({address(calls[0]), 2});
        expect_true("stops behind it", made.ok() && made.value() == 1, number);
        expect("in a batch", calls[0].error, Error::unknown_call, number);
        expect("never reached", calls[1].error, Error::bad_argument, number);
    }
    for (BatchedCall& one : calls) one = {NullCall::number, {}, Error::bad_argument, 7};
    const auto all = call<Batch>({address(calls[0]), Batch::kMaxCount});
    expect_true("a full batch", all.ok() && all.value() == Batch::kMaxCount && calls[Batch::kMaxCount - 1].error == Error::ok);
    expect("no further", calls[Batch::kMaxCount].error, Error::bad_argument);

    // An array that runs out of memory half-way: nothing of it is done.
    Memory two;
    need(two, 2);
    const u64 before = accounts().frames;
    BatchedCall* list = reinterpret_cast<BatchedCall*>(two.bytes() + kPageSize) - 1;
    for (u64 i = 0; i < 2; ++i) list[i] = {FrameAlloc::number, {kAny, 1, 1, address(out).value}, Error::ok, 0};
    expect("unbind its end", answer_to<Unbind>({PageSpan::make(two.page + 1, 1), {}}), Error::ok);
    const Answer half = raw_call(Batch::number, {address(*list).value, 2});
    expect("half a batch", half.error, Error::not_mapped);
    expect_true("none of it was made", accounts().frames == before, accounts().frames - before);

    // An array that unbinds itself: what was made before is told.
    list = reinterpret_cast<BatchedCall*>(two.words());
    list[0] = {Unbind::number, {PageSpan::make(two.page, 1).bits, 0}, Error::bad_argument, 0};
    list[1] = {FrameAlloc::number, {kAny, 1, 1, address(out).value}, Error::bad_argument, 0};
    const Answer gone = raw_call(Batch::number, {address(*list).value, 2});
    expect("a batch that unbinds itself", gone.error, Error::ok);
    expect_true("made one", gone.value == 1, gone.value);
    expect_true("and not the other", accounts().frames == before, accounts().frames - before);
    expect("bound again", bind_all(two), Error::ok);
    expect("its answer was for nobody", list[0].error, Error::bad_argument);
    // One that makes itself read-only.
    list[0] = {Protect::number, {PageSpan::make(two.page, 1, Right::read).bits, 0}, Error::bad_argument, 0};
    list[1] = {NullCall::number, {}, Error::bad_argument, 0};
    expect("a batch that protects itself", raw_call(Batch::number, {address(*list).value, 2}).error, Error::ok);
    expect("no answer in read-only memory", list[0].error, Error::bad_argument);
    expect("release it", answer_to<FrameRelease>({address(two.capability), two.frame, 2}), Error::ok);
    // One that gives its own frames back.
    need(two, 2);
    list = reinterpret_cast<BatchedCall*>(two.words());
    list[0] = {FrameRelease::number, {address(two.capability).value, two.frame.value, 2}, Error::bad_argument, 0};
    list[1] = {Exit::number, {99}, Error::bad_argument, 0};
    expect("a batch that gives itself back", raw_call(Batch::number, {address(*list).value, 2}).error, Error::ok);
    expect("nothing is left there", raw_call(LogWrite::number, {two.at().value, 1}).error, Error::not_mapped);
}

/// Answers and arguments in memory that the call takes away.
void vanishing() {
    Memory pool;
    const ContextSpec shape{{}, 128, 16, 16};
    need(pool, shape.frames_needed());
    auto* spec = reinterpret_cast<ContextSpec*>(pool.bytes());
    auto* capability = reinterpret_cast<Capability*>(pool.bytes() + 512);
    *spec = shape;
    spec->frames = address(*capability);
    *capability = pool.capability;
    const Answer made = raw_call(ContextCreate::number, {address(*spec).value, pool.at(kPageSize).value});
    expect("a context made of its own arguments", made.error, Error::ok);
    for (u64 page = 0; page < pool.count; ++page)
        expect("its frames are not mine to see", raw_call(LogWrite::number, {pool.at(page * kPageSize).value, 1}).error, Error::not_mapped, page);

    Memory two;
    need(two, kEnvFrames);
    auto* env = reinterpret_cast<EnvSpec*>(two.bytes());
    capability = reinterpret_cast<Capability*>(two.bytes() + 512);
    *capability = two.capability;
    *env = {address(boot().context), address(*capability), VirtAddr{kImageAddress}, 0, 0, "swallowed"};
    expect("an environment made of its own arguments", raw_call(EnvCreate::number, {address(*env).value, two.at(kPageSize).value}).error, Error::ok);
    expect("its frames are not mine to see", raw_call(LogWrite::number, {two.at().value, 1}).error, Error::not_mapped);

    Memory one;
    need(one, 1);
    capability = reinterpret_cast<Capability*>(one.bytes());
    *capability = one.capability;
    expect("frames with their own capability in them", answer_to<FrameRelease>({address(*capability), one.frame, 1}), Error::ok);

    need(one, 1);
    const PageSpan span = PageSpan::make(one.page, 1, Right::read).with(SpanFlag::guaranteed);
    expect("a binding over its own answer", answer_to<Bind>({address(one.capability), one.frame, span, {}, one.at()}), Error::ok);
    expect_true("left alone", one.words()[0] == 0, one.words()[0]);
    expect("the other way round", answer_to<Bind>({address(good.capability), good.frame, PageSpan::make(one.page, 1, kReadWrite), {}, one.at()}),
           Error::not_mapped);
}

/// The save area is the one piece of memory that the kernel writes unasked.
void save_areas() {
    Memory area;
    need(area, 2);
    const auto set = [](VirtAddr at) {
        const UpcallTable table{at, {}, {}};
        return answer_to<UpcallSet>({address(table)});
    };
    expect("save area in the boot information", set(address(boot())), Error::denied);
    expect("save area that is not bound", set(area.at(2 * kPageSize)), Error::denied);
    expect("bind it plainly", unbind_all(area), Error::ok);
    expect("bind it plainly", answer_to<Bind>({address(area.capability), area.frame, PageSpan::make(area.page, 2, kReadWrite), {}, {}}), Error::ok);
    expect("save area that can be evicted", set(area.at()), Error::denied);
    expect("bind it read-only", unbind_all(area), Error::ok);
    expect("bind it read-only", bind_all(area, Right::read), Error::ok);
    expect("read-only save area", set(area.at()), Error::denied);
    expect("unaligned save area", set(area.at(8)), Error::bad_address);

    const Capability image = boot().image;
    const FrameNumber frame = boot().image_frame + (page_of(address(libos_save_area)) - boot().image_page);
    expect("give the save area back", answer_to<FrameRelease>({address(image), frame, 1}), Error::in_use);
    expect("give everything around it back", answer_to<FrameRelease>({address(image), boot().image_frame, boot().image_pages}), Error::in_use);
    const Capability narrow = image;
    const ContextSpec spec{address(narrow), 128, 16, 16};
    ContextGrant grant;
    expect("the wrong number of frames", answer_to<ContextCreate>({address(spec), address(grant)}), Error::out_of_range);
}

}  // namespace

int libos_main() {
    need(good, 4);
    need(scratch, 1);
    fresh_pages(64);
    wild_pointers();
    nested_pointers();
    counts();
    unknown_numbers();
    batches();
    vanishing();
    save_areas();
    return verdict("arguments");
}
