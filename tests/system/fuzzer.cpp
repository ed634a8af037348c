// Random system calls that are nearly right, in their tens of thousands: capabilities that live, died, were narrowed
// or corrupted; pages bound and unbound; batches; contexts and environments made, run and ended, some of which
// execute random bytes. The kernel must answer every one, change nothing when it answers with an error, and get
// everything back in the end.
//
//   seed=N    where the random numbers begin; printed, so that a failing run can be had again
//   calls=N   how many system calls
#include "secure_bindings/capability.hpp"
#include "tests/system/attack.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr u64 kPool = 48;
constexpr u64 kRegion = 0x1'0200, kRegionPages = 2048;  // where it binds: 2 MiB-aligned, away from its own image
constexpr Rights kReadWrite = Right::read | Right::write;

u64 state, made, refused, ended_children;
Capability pool[kPool];
EnvId children[16];
alignas(64) BatchedCall batch[Batch::kMaxCount];
ContextSpec context_spec;
ContextGrant context_grant;
EnvSpec env_spec;
[[gnu::section(".guaranteed.data.fuzz")]] UpcallTable upcall_table;

/// What it got, so that most of it can be given back: without that the quota is soon used up and nothing happens any more.
struct Ledger {
    static constexpr u64 kSize = 512;
    Capability entries[kSize];
    u64 count;
    void add(const Capability& capability) {
        if (count < kSize) entries[count++] = capability;
    }
} ledger;

u64 below(u64 bound) { return bound == 0 ? 0 : random_word(state) % bound; }
bool one_in(u64 n) { return below(n) == 0; }

u64 wild_pointer() {
    const u64 choices[] = {0, 1, 8, kBootInfoAddress, kInformation, kUserPages << kPageShift, (kUserPages << kPageShift) - 8,
                           0x0000'8000'0000'0000, 0xffff'8000'0000'0000, 0xffff'ffff'8020'0000, ~u64{7}, ~u64{0},
                           (kRegion + below(kRegionPages)) << kPageShift, ((kRegion + below(kRegionPages)) << kPageShift) - 8 * below(20)};
    return choices[below(sizeof choices / sizeof choices[0])];
}

u64 any_capability() { return one_in(20) ? wild_pointer() : address(pool[below(kPool)]).value; }
u64 any_scalar() {
    switch (below(6)) {
        case 0: return below(4);
        case 1: return u64{1} << below(64);
        case 2: return kAny - below(3);
        case 3: return random_word(state);
        default: return below(600);
    }
}

/// The capability of that kind that comes first from a random place on; any at all if there is none.
Capability& some(ResourceKind kind) {
    const u64 from = below(kPool);
    for (u64 i = 0; i < kPool; ++i)
        if (pool[(from + i) % kPool].kind == kind) return pool[(from + i) % kPool];
    return pool[from];
}

u64 any_context() {
    if (!one_in(3)) return 0;
    return one_in(8) ? any_capability() : address(some(ResourceKind::context)).value;
}

PageSpan any_span() {
    const bool large = one_in(10);
    u64 page = kRegion + (large ? below(kRegionPages / 512) * 512 : below(kRegionPages - 64));
    u64 count = large ? 1 + below(2) : one_in(8) ? below(65) : 1 + below(4);
    if (one_in(40)) page = kUserPages - below(3), count = below(5);
    u64 flags = below(8);
    if (!one_in(6)) flags |= static_cast<u64>(Right::read);
    if (one_in(6)) flags |= static_cast<u64>(SpanFlag::guaranteed);
    if (one_in(6)) flags |= static_cast<u64>(SpanFlag::dirty);
    if (large) flags |= static_cast<u64>(SpanFlag::large);
    if (one_in(60)) flags |= u64{1} << (6 + below(6));
    return PageSpan{PageSpan::make(PageNumber{page}, count).bits | flags};
}

u64 unit_of(const Capability& capability) {
    return one_in(15) ? any_scalar() : capability.first + (capability.count != 0 && capability.count < 100'000 ? below(capability.count + 1) : 0);
}

/// A narrowing, a corruption, or a copy of some capability, in another's place.
void change_pool() {
    Capability changed = pool[below(kPool)];
    switch (below(6)) {
        case 0: reinterpret_cast<u8*>(&changed)[below(sizeof changed)] ^= static_cast<u8>(1 << below(8)); break;
        case 1: changed = boot().context; break;
        case 2: {
            const Caveat caveats[] = {only_rights(Rights{static_cast<u32>(below(32))}), only_range(changed.first + below(3), 1 + below(8)),
                                      only_presenter(one_in(2) ? boot().self : EnvId{1 + below(1000)}), only_until(ticks() + below(2'000'000)),
                                      Caveat{CaveatKind{below(6)}, any_scalar(), any_scalar()}};
            const auto narrowed = attenuate(changed, caveats[below(5)]);
            if (narrowed.ok()) changed = narrowed.value();
            break;
        }
        default: break;
    }
    pool[below(kPool)] = changed;
}

struct Drawn {
    u64 number;
    std::array<u64, 5> words;
};

Drawn draw_binding_call() {
    const PageSpan span = any_span();
    switch (below(10)) {
        case 0: return {Unbind::number, {span.bits, any_context()}};
        case 1: return {Protect::number, {span.bits, any_context()}};
        case 2: return {ClearBits::number, {span.bits, below(5), any_context()}};
        case 3:
        case 4: {
            const Capability& entry = some(ResourceKind::tlb_entry);
            const u64 page = entry.page & ~kLargePage;
            const bool usable = page >= kRegion && page + entry.count <= kRegion + kRegionPages && !one_in(10);
            u64 bits = span.bits;
            if (usable) bits = PageSpan::make(PageNumber{page}, entry.page & kLargePage ? 1 : 1 + below(entry.count), kReadWrite).bits |
                               (entry.page & kLargePage ? static_cast<u64>(SpanFlag::large) : 0);
            return {Rebind::number, {address(entry).value, bits, any_context()}};
        }
        default: {
            const Capability& frames = some(ResourceKind::frames);
            u64 first = unit_of(frames);
            if (span.has(SpanFlag::large)) first = (first + 511) & ~u64{511};
            return {Bind::number, {one_in(20) ? any_capability() : address(frames).value, first, span.bits, any_context(),
                                   one_in(3) ? any_capability() : 0}};
        }
    }
}

/// Entries, gates, events, posts. Nobody is called: a callee may leave anything in the registers.
Drawn draw_transfer_call() {
    const u64 place = one_in(10) ? any_scalar() : below(kEntriesPerEnvironment);
    const u64 gate = one_in(10) ? any_scalar() : below(kGatesPerEnvironment);
    switch (below(6)) {
        case 0:
        case 1: return {EntryPublish::number, {place, one_in(8) ? any_scalar() : kRegion << kPageShift, any_scalar(), any_capability()}};
        case 2: return {EntryWithdraw::number, {place}};
        case 3: return {GateBind::number, {one_in(6) ? any_capability() : address(some(ResourceKind::entry)).value, gate}};
        case 4: return {Notify::number, {gate, any_scalar()}};
        default: return {PostCapability::number, {one_in(4) ? 0 : any_capability(), below(kPostsPerEnvironment + 1), any_scalar()}};
    }
}

Drawn draw_call() {
    switch (below(26)) {
        case 0:
        case 1: {
            const bool large = one_in(12);
            return {FrameAlloc::number, {one_in(4) ? any_scalar() : kAny, large ? 512 : one_in(10) ? any_scalar() : 1 + below(40),
                                         large ? 512 : one_in(10) ? any_scalar() : u64{1} << below(4), any_capability()}};
        }
        case 2:
        case 3: {
            const Capability& frames = some(ResourceKind::frames);
            const u64 first = unit_of(frames);
            return {FrameRelease::number, {address(frames).value, first, one_in(8) ? any_scalar() : 1 + below(8)}};
        }
        case 4: {
            const Capability& context = some(ResourceKind::context);
            return {ContextDestroy::number, {address(context).value}};
        }
        case 5: return {SlotTake::number, {one_in(8) ? any_scalar() : 0, one_in(2) ? kAny : below(70), one_in(8) ? any_scalar() : 1, any_capability()}};
        case 6: {
            const Capability& slots = some(ResourceKind::slots);
            return {one_in(2) ? SlotRelease::number : SlotRun::number, {address(slots).value, unit_of(slots), one_in(8) ? any_scalar() : 1}};
        }
        case 7: return {EnvDestroy::number, {address(some(ResourceKind::environment)).value}};
        case 8:
        case 9: return {CapabilityCheck::number, {any_capability()}};
        case 10: {
            const u64 size = 1 + below(40);
            context_spec = {VirtAddr{any_capability()}, 128, 16, 8 + below(3)};
            if (one_in(4)) (one_in(2) ? context_spec.stlb : context_spec.guaranteed) = any_scalar();
            return {ContextCreate::number, {address(context_spec).value, one_in(6) ? wild_pointer() : address(context_grant).value, size}};
        }
        case 11: {
            env_spec = {VirtAddr{any_context()}, VirtAddr{any_capability()}, VirtAddr{one_in(4) ? any_scalar() : kRegion << kPageShift}, 0, below(40), "random"};
            if (one_in(4)) env_spec.name[below(16)] = static_cast<char>(below(256));
            return {EnvCreate::number, {address(env_spec).value, any_capability()}};
        }
        case 12: return {one_in(2) ? NullCall::number : Syscalls::count + any_scalar() % (~u64{0} - Syscalls::count), {any_scalar(), any_scalar()}};
        case 13:
        case 14: return draw_transfer_call();
        default: return draw_binding_call();
    }
}

/// Everything that can be counted from outside agrees with the accounts. Others take and release frames meanwhile: of
/// the free ones, only a count during which the number stood still tells.
bool books_agree() {
    const u64 before = information().frames_free;
    u64 mine = 0, free = 0;
    for (u64 i = 0; i < information().frames; ++i) {
        const FrameInfo& info = frame_info(FrameNumber{i});
        mine += info.owner == boot().self.value;
        free += info.state == FrameState::free;
    }
    asm volatile("" ::: "memory");  // the kernel writes these tables; the compiler does not know
    const bool moved = information().frames_free != before;
    const bool agree = mine == accounts().frames && accounts().frames <= accounts().frame_quota && (moved || free == before);
    if (!agree) print("counted ", mine, " mine and ", free, " free; accounts say ", accounts().frames, " and ", before, "\n");
    return agree;
}

/// Note what a call that succeeded wrote into the pool.
void note(u64 number, const u64* words) {
    const u64 place = number == FrameAlloc::number || number == SlotTake::number ? words[3] : number == EnvCreate::number ? words[1] : 0;
    const u64 from = address(pool[0]).value;
    if (place >= from && place < from + sizeof pool) ledger.add(*reinterpret_cast<const Capability*>(place));
    if (number == ContextCreate::number && words[1] == address(context_grant).value) ledger.add(pool[below(kPool)] = context_grant.context);
}

void release_frames(const Capability& capability) {
    if (answer_to<FrameRelease>({address(capability), FrameNumber{capability.first}, capability.count}) == Error::ok) return;
    for (u64 i = 0; i < capability.count && i < 1024; ++i)  // it may be a corrupted one
        answer_to<FrameRelease>({address(capability), FrameNumber{capability.first + i}, 1});
}

/// Give back all that is known of: environments, the contexts they lived in, then the rest.
void clean_up() {
    for (const ResourceKind kind : {ResourceKind::environment, ResourceKind::context, ResourceKind::slots, ResourceKind::frames})
        for (u64 i = 0; i < ledger.count; ++i) {
            const Capability& one = ledger.entries[i];
            if (one.kind != kind) continue;
            ++made;
            if (kind == ResourceKind::environment) answer_to<EnvDestroy>({address(one)});
            else if (kind == ResourceKind::context) answer_to<ContextDestroy>({address(one)});
            else if (kind == ResourceKind::slots) answer_to<SlotRelease>({address(one), SlotNumber{one.first}, one.count});
            else release_frames(one);
        }
    ledger.count = 0;
}

void one_call(const Drawn& drawn) {
    const u64 frames = accounts().frames, slots = accounts().slots;
    const Answer answer = raw_call(drawn.number, drawn.words);
    ++made;
    expect_true("a known error", static_cast<u64>(answer.error) < kErrorCount, drawn.number);
    if (answer.error == Error::ok) return note(drawn.number, drawn.words.data());
    ++refused;
    if (answer.error == Error::not_mapped) bind_image_page(VirtAddr{answer.value}, 2);
    expect_true("an error changes nothing", accounts().frames == frames && accounts().slots == slots,
                drawn.number);
}

void one_batch() {
    const u64 count = 1 + below(one_in(4) ? Batch::kMaxCount : 4);
    for (u64 i = 0; i < count; ++i) {
        const Drawn drawn = one_in(30) ? Drawn{below(Syscalls::count + 3), {}} : draw_call();
        batch[i] = {drawn.number, {drawn.words[0], drawn.words[1], drawn.words[2], drawn.words[3], drawn.words[4]}, Error::ok, 0};
        if (drawn.number == UpcallSet::number) batch[i].number = NullCall::number;
    }
    const auto answer = call<Batch>({address(batch[0]), one_in(20) ? any_scalar() : count});
    made += answer.ok() ? answer.value() : 1;
    for (u64 i = 0; answer.ok() && i < answer.value() && i < count; ++i)
        if (batch[i].error == Error::ok) note(batch[i].number, batch[i].args);
}

/// Machine code that is not meant: system calls with odd arguments, jumps, and plain noise.
void write_code(u8* bytes) {
    for (u64 i = 0; i < kPageSize;) {
        const u64 kind = below(8);
        if (kind < 7 && i + 16 < kPageSize) {  // mov $imm32, reg; mostly
            bytes[i++] = static_cast<u8>(0xb8 + below(8));
            const u64 imm = one_in(2) ? below(24) : one_in(2) ? (kRegion + below(8)) << kPageShift : random_word(state);
            for (u64 b = 0; b < 4; ++b) bytes[i++] = static_cast<u8>(imm >> 8 * b);
            if (one_in(2)) {  // a call of any number but those that write to the log
                bytes[i++] = 0xb8;
                bytes[i++] = static_cast<u8>(4 + below(Syscalls::count - 4));
                bytes[i++] = 0, bytes[i++] = 0, bytes[i++] = 0;
                bytes[i++] = 0x0f, bytes[i++] = 0x05;
            }
        } else {
            bytes[i++] = static_cast<u8>(random_word(state));
        }
    }
    // It begins by taking a frame of its own, binding it as its save area and registering upcalls.
    const u64 data = (kRegion + 1) << kPageShift;
    const u64 span = PageSpan::make(PageNumber{kRegion + 3}, 1, kReadWrite).with(SpanFlag::guaranteed).bits;
    const auto byte = [](u64 word, u64 n) { return static_cast<u8>(word >> 8 * n); };
    const u8 start[] = {
        0x48, 0xc7, 0xc7, 0xff, 0xff, 0xff, 0xff, 0xbe, 1, 0, 0, 0, 0xba, 1, 0, 0, 0,                             // any, one
        0x41, 0xb8, byte(data, 0), byte(data, 1), byte(data, 2), byte(data, 3), 0xb8, 5, 0, 0, 0, 0x0f, 0x05,      // frame_alloc
        0xbf, byte(data, 0), byte(data, 1), byte(data, 2), byte(data, 3), 0x48, 0x89, 0xd6, 0x48, 0xba,             // capability, frame
        byte(span, 0), byte(span, 1), byte(span, 2), byte(span, 3), byte(span, 4), byte(span, 5), byte(span, 6), byte(span, 7),
        0x45, 0x31, 0xc0, 0x45, 0x31, 0xc9, 0xb8, 9, 0, 0, 0, 0x0f, 0x05,                                          // bind
        0xbf, 0, static_cast<u8>(byte(data, 1) | 2), byte(data, 2), byte(data, 3), 0xb8, 19, 0, 0, 0, 0x0f, 0x05,                   // upcall_set
    };
    for (u64 i = 0; i < sizeof start; ++i) bytes[i] = start[i];
}

/// A context and an environment of its own that executes random bytes, run once by yielding to it.
void random_program() {
    Capability frames, contents, capability;
    const u64 needed = ContextSpec{{}, 128, 16, 16}.frames_needed();
    if (answer_to<FrameAlloc>({FrameNumber{kAny}, needed, 1, address(frames)}) != Error::ok) return;
    context_spec = {address(frames), 128, 16, 16};
    ledger.add(frames);
    if (answer_to<ContextCreate>({address(context_spec), address(context_grant)}) != Error::ok) return;
    ledger.add(context_grant.context);
    const Capability context = context_grant.context;
    if (answer_to<FrameAlloc>({FrameNumber{kAny}, 4, 1, address(contents)}) != Error::ok) return;
    ledger.add(contents);
    const FrameNumber first{contents.first};
    const PageSpan here = PageSpan::make(PageNumber{kRegion + kRegionPages}, 2, kReadWrite).with(SpanFlag::guaranteed);
    if (answer_to<Bind>({address(contents), first, here, {}, {}}) != Error::ok) return;
    u8* bytes = reinterpret_cast<u8*>(address_of(here.page()).value);
    write_code(bytes);
    auto* table = reinterpret_cast<UpcallTable*>(bytes + kPageSize + 512);
    table->save_area = VirtAddr{(kRegion + 3) << kPageShift};
    for (VirtAddr& entry : table->entry) entry = VirtAddr{one_in(3) ? 0 : (kRegion << kPageShift) + below(kPageSize)};
    const auto there = [&](u64 page, FrameNumber frame, u64 count, Rights rights) {
        const PageSpan span = PageSpan::make(PageNumber{kRegion + page}, count, rights).with(SpanFlag::guaranteed);
        return answer_to<Bind>({address(contents), frame, span, address(context), {}});
    };
    expect("bind code", there(0, first, 1, Right::read | Right::execute), Error::ok);
    expect("bind data", there(1, first + 1, 2, kReadWrite), Error::ok);
    if (answer_to<FrameAlloc>({FrameNumber{kAny}, kEnvFrames, 1, address(frames)}) != Error::ok) return;
    ledger.add(frames);
    env_spec = {address(context), address(frames), VirtAddr{kRegion << kPageShift}, random_word(state), below(8), "random"};
    const auto child = call<EnvCreate>({address(env_spec), address(capability)});
    if (!child.ok()) return;
    made += 8;
    ledger.add(capability);
    children[below(16)] = child.value();
    pool[below(kPool)] = capability;
    pool[below(kPool)] = context;
    pool[below(kPool)] = context_grant.stlb;
    pool[below(kPool)] = contents;
    yield(child.value());
    ended_children += environment_info(child.value()).id != child.value().value;
}

/// A random table of upcalls, and the right one back before anything can be delivered.
void random_upcalls() {
    upcall_table.save_area = VirtAddr{one_in(3) ? wild_pointer() : (kRegion + below(kRegionPages)) << kPageShift};
    for (VirtAddr& entry : upcall_table.entry) entry = VirtAddr{one_in(4) ? any_scalar() : 0};
    raw_call(UpcallSet::number, {address(upcall_table).value});
    if (!register_upcalls().ok()) exit(6);
    ++made;
}

}  // namespace

int libos_main() {
    const u64 seed = argument("seed", 1), calls = argument("calls", 20'000);
    state = seed * 0x9e37'79b9'7f4a'7c15 + 1;
    print("seed=", seed, " calls=", calls, "\n");
    for (Capability& one : pool)
        if (answer_to<FrameAlloc>({FrameNumber{kAny}, 1 + below(16), 1, address(one)}) != Error::ok) return 3;
    pool[0] = boot().context;
    pool[1] = boot().stlb;
    pool[2] = attenuate(boot().image, only_rights(Right::read)).value();
    for (u64 step = 0; made < calls && wrong == 0; ++step) {
        const u64 kind = below(400);
        if (kind == 0) random_program();
        else if (kind < 3) yield(one_in(2) ? children[below(16)] : EnvId{any_scalar()});
        else if (kind < 6) random_upcalls();
        else if (kind < 30) one_batch();
        else if (kind < 80) change_pool();
        else one_call(draw_call());
        if (step % 512 == 0 || ledger.count >= Ledger::kSize - 80) {
            for (const Capability& one : pool)
                if (one.kind == ResourceKind::frames && one.first != boot().stlb.first && one.first != boot().image_frame.value) ledger.add(one);
            clean_up();
        }
        if (step % 4096 == 0) expect_true("the books agree", books_agree(), step);
    }
    expect_true("the books agree", books_agree(), made);
    if (wrong != 0) print("WRONG with seed=", seed, " after ", made, " calls\n");
    print(made, " calls, ", refused, " refused, ", ended_children, " random programs ended at once\n");
    return verdict("fuzzer");
}
