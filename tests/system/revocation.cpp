// Units asked back of five libOSes that answer in five ways, each seen from both sides: the asker reads the published
// tables, the asked what came by upcall and what its vector says.
//
//   role=asker     asks, waits, compares
//   role=willing   gives what it is asked for
//   role=partly    gives some, then is too late
//   role=wrong     gives back what was not named, and the same frame again and again
//   role=silent    hears and does nothing, with frames seeded to be discarded and to be copied
//   role=deaf      has no entry for `revoke`
//
//   patience=N     the asker's: how often the kernel's grace an answer may take, where the host decides who runs when
#include <string_view>

#include "tests/system/children.hpp"
#include "tests/system/revoked.hpp"

using namespace tessera;
using namespace tessera::attack;

namespace {

constexpr u64 kFrames = 40, kDiscarded = 16, kCopied = 8, kVault = 8;  // of each: [discard | copy | vault for copy | plain]
constexpr FrameNumber any_frame{kAny};

std::string_view role;
Memory pool, vector_page;
[[gnu::section(".guaranteed.data.upcalls")]] UpcallTable table;

RepossessionVector& vector() { return *reinterpret_cast<RepossessionVector*>(vector_page.bytes()); }

// ------------------------------------------------------------------------------------------------ who is asked

u64 told, told_of_loss, last_number, last_lost;
bool given[kFrames];

void give(u64 index) {
    expect("give back", answer_to<FrameRelease>({address(pool.capability), pool.frame + index, 1}), Error::ok, index);
    given[index] = true;
}

/// The highest `count` that it still has. Asked in the middle of on_repossessed it has not yet read of all that it lost.
void give_some(u64 count) {
    for (u64 i = kFrames; i-- != 0 && count != 0;) {
        if (given[i] || frame_info(pool.frame + i).owner != boot().self.value) continue;
        give(i);
        --count;
    }
}

void give_kernel_memory();
void give_slot() {
    for (u64 i = 0; i < 8; ++i) {
        const Capability& slot = boot().slots[i];
        if (slot.kind != ResourceKind::slots || slot_info(SlotNumber{slot.first}).owner != boot().self.value) continue;
        expect("give a slot", answer_to<SlotRelease>({address(slot), SlotNumber{slot.first}, 1}), Error::ok);
        return;
    }
}

void on_revoke(SaveRecord& record) {
    ++told;
    const RevocationRequest& row = request_at(record.address);
    expect_true("the record names the row", row.number == record.error && row.target == boot().self.value, record.error);
    expect_true("numbers go up", row.number > last_number, row.number);
    expect_true("told, and its time counts", row.state == RequestState::told && row.own_deadline >= accounts().ticks);
    last_number = row.number;
    if (role == "silent") return;
    if (row.kind == RevocationKind::slots) return give_slot();
    if (row.kind == RevocationKind::kernel_memory) return give_kernel_memory();
    if (role == "willing") return give_some(row.count - row.returned);
    if (role == "partly") return give_some(row.count / 2 - 1);
    // One, and then another over and over, which is taken and given back.
    give_some(1);
    Capability again;
    for (u64 i = 0; i < row.count + 4; ++i) {
        const auto frame = call<FrameAlloc>({any_frame, 1, 1, address(again)});
        if (frame) expect("back again", answer_to<FrameRelease>({address(again), frame.value(), 1}), Error::ok);
    }
}

/// Line by line: is what the vector says of frames of ours true?
void check_lines(u64 from, u64 to) {
    for (u64 i = from; i < to; ++i) {
        const Repossession& line = vector().line[i];
        if (line.kind != RevocationKind::frames) continue;
        for (u64 j = 0; j < line.count; ++j) {
            const u64 frame = line.first + j, index = frame - pool.frame.value;
            expect_true("not ours any more", frame_info(FrameNumber{frame}).owner != boot().self.value, frame);
            if (index >= kFrames) continue;
            given[index] = true;
            if (role != "silent") continue;
            const AutosaveKind kind = index < kDiscarded ? AutosaveKind::discard
                                      : index < kDiscarded + kCopied ? AutosaveKind::copy : AutosaveKind::none;
            expect_true("done as seeded", line.saved == kind, index);
            if (kind != AutosaveKind::copy) continue;
            const u64 copy = line.destination + j - pool.frame.value;
            expect_true("where it was to go", copy == index + kVault, copy);
            const u64* words = pool.words() + copy * kPageSize / 8;
            // The last one was never written: it would have been zero.
            for (u64 w = 0; w < kPageSize / 8; w += 37)
                expect_true("the bytes of the frame", words[w] == (index == kDiscarded + kCopied - 1 ? 0 : index * 1000 + w), index);
        }
    }
}

void on_repossessed(SaveRecord& record) {
    ++told_of_loss;
    // Lines can come while others are looked at, and what a record counted can be dealt with under the record before.
    static u64 dealt_with = 0;
    u32 used = __atomic_load_n(&vector().used, __ATOMIC_RELAXED), checked = 0;
    expect_true("the record says how many lines", record.address <= used + dealt_with && used + dealt_with != 0, record.address);
    expect_true("all were reported", vector().unreported == 0);
    last_lost = record.error;
    do {
        check_lines(checked, used);
        checked = used;
    } while (!__atomic_compare_exchange_n(&vector().used, &used, 0, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    dealt_with += checked;
}

alignas(4096) Child child;
void idle(Child&) {
    for (;;) enter_yield({});
}
ContextGrant extra;

void give_kernel_memory() {
    expect("a context less", answer_to<ContextDestroy>({address(extra.context)}), Error::ok);
    expect("a child less", answer_to<EnvDestroy>({address(child.environment)}), Error::ok);
}

void make_kernel_memory() {
    Memory frames;
    const ContextSpec shape{{}, 128, 16, 16};
    if (!take(frames, shape.frames_needed())) exit(3);
    ContextSpec spec = shape;
    spec.frames = address(frames.capability);
    expect("a context", answer_to<ContextCreate>({address(spec), address(extra)}), Error::ok);
    expect("a child", make_child(child, "dependent", idle), Error::ok);
}

void seed() {
    AutosaveSpec spec{AutosaveKind::discard, 0, {}, {}};
    expect("seed discard", answer_to<Autosave>({address(pool.capability), pool.frame, kDiscarded, address(spec)}), Error::ok);
    spec = {AutosaveKind::copy, 0, address(pool.capability), pool.frame + kDiscarded + kVault};
    expect("seed copy", answer_to<Autosave>({address(pool.capability), pool.frame + kDiscarded, kCopied, address(spec)}), Error::ok);
}

int be_asked() {
    need(vector_page, 1);
    if (!take(pool, kFrames)) return 3;
    for (u64 i = 0; i < kFrames; ++i) {
        if (i == kDiscarded + kCopied - 1) continue;  // this one stays as it came
        const PageSpan span = PageSpan::make(pool.page + i, 1, Right::read | Right::write).with(SpanFlag::guaranteed);
        expect("bind", answer_to<Bind>({address(pool.capability), pool.frame + i, span, {}, {}}), Error::ok);
        for (u64 w = 0; w < kPageSize / 8; ++w) pool.words()[i * kPageSize / 8 + w] = i * 1000 + w;
    }
    if (role == "silent") seed();
    if (role == "willing" || role == "deaf") make_kernel_memory();
    handle<UpcallKind::revoke, on_revoke>();
    handle<UpcallKind::repossessed, on_repossessed>();
    const u64 unwanted = role == "deaf" ? u64{1} << static_cast<u64>(UpcallKind::revoke) : 0;
    expect("upcalls and vector", set_upcalls(table, vector_page.at(), ~unwanted), Error::ok);

    // For all to see: ready.
    expect("ready", answer_to<Reserve>({address(vector_page.capability), vector_page.frame, 1, 1}), Error::ok);
    const EnvId asker{argument("asker", 0)};
    while (environment_info(asker).id != 0 && environment_info(asker).id % 256 == asker.value) yield();
    // The upcall that tells of the last loss comes with a slice.
    while (static_cast<const volatile u32&>(vector().used) != 0) static_cast<void>(answer_to<Wait>({{}, 0, ticks() + information().quantum, 0}));
    expect_true("told as often as asked", told == (role == "deaf" ? 0 : accounts().asked), told);
    expect_true("told of a loss if there was one", (told_of_loss != 0) == (accounts().repossessed != 0), told_of_loss);
    u64 left = 0;
    for (u64 i = 0; i < kFrames; ++i) {
        expect_true("what we think is ours is", (frame_info(pool.frame + i).owner == boot().self.value) == !given[i], i);
        left += !given[i];
    }
    const bool told_all = record("told", told, "losses", told_of_loss, "frames_left", left, "repossessed", accounts().repossessed).ok();
    const int result = verdict("asked");
    return told_all ? result : 5;
}

// ------------------------------------------------------------------------------------------------- who asks

struct Target {
    const char* name;
    EnvId id{};
} targets[] = {{"willing"}, {"partly"}, {"wrong"}, {"silent"}, {"deaf"}};

EnvId find(std::string_view name) {
    for (u64 i = 1; i < kMaxEnvironments; ++i) {
        const EnvironmentInfo& info = environment_info(EnvId{i});
        if (info.id != 0 && name == info.name) return EnvId{info.id};
    }
    return {};
}

/// Ask, wait until it is done, and compare.
const RevocationRequest& ask(const Target& target, RevocationKind kind, u64 first, u64 count, u64 given_back, u64 taken) {
    const bool hears = target.name != std::string_view{"deaf"};
    const u64 own = (hears ? argument("patience", 1) : 1) * information().grace;
    RevocationSpec spec{kind, 0, first, count, own, 4 * information().quantum};
    const auto number = call<Revoke>({address(boot().every_environment), target.id, address(spec)});
    expect(target.name, number.error(), Error::ok, count);
    if (!number) exit(4);
    const RevocationRequest* row = find_request(target.id, number.value());
    if (row == nullptr) exit(4);
    expect_true("the row says what was asked", row->kind == kind && row->first == first && row->count == count &&
                                                   row->requester == boot().self.value && row->target == target.id.value);
    while (!is_done(*row)) yield();
    expect_true("given back", row->returned == given_back, row->returned);
    expect_true("taken", row->taken == taken, row->taken);
    expect_true("how it ended", row->state == (taken == 0 ? RequestState::met : RequestState::repossessed), row->number);
    expect_true("not before its time", taken == 0 || row->done_at >= row->wall_deadline, row->done_at);
    print(target.name, " gave ", row->returned, " and lost ", row->taken, " of ", count, " ", kRevocationNames[static_cast<u64>(kind)], "\n");
    return *row;
}

/// A run of `count` owned frames of an environment that are not its save area, vector or reserve: (first found from the end).
u64 run_of(EnvId owner, u64 count) {
    u64 run = 0;
    for (u64 i = information().frames; i-- != 0;) {
        const FrameInfo& info = frame_info(FrameNumber{i});
        run = info.owner == owner.value && info.state == FrameState::owned && (info.flags & 10) == 0 ? run + 1 : 0;
        if (run == count) return i;
    }
    return kAny;
}

int ask_everybody() {
    for (Target& target : targets) {
        target.id = find(target.name);
        if (!target.id) return 3;
        const volatile EnvironmentInfo& info = environment_info(target.id);
        while (info.reserve == accounts().reserve)  // the same image: until it is ready
            if (yield(); info.id != target.id.value) return 3;
    }
    const auto& [willing, partly, wrong_one, silent, deaf] = targets;
    const auto frames_of = [](const Target& target) { return environment_info(target.id).frames; };
    const u64 free = information().frames_free;

    u64 had = frames_of(willing);
    ask(willing, RevocationKind::frames, kAny, 12, 12, 0);
    expect_true("has less", frames_of(willing) == had - 12, frames_of(willing));
    expect_true("all of it is free", information().frames_free == free + 12, information().frames_free);
    ask(willing, RevocationKind::slots, kAny, 1, 1, 0);
    had = frames_of(willing);
    const u64 context_frames = ContextSpec{{}, 128, 16, 16}.frames_needed();
    ask(willing, RevocationKind::kernel_memory, kAny, context_frames + kEnvFrames, context_frames + kEnvFrames, 0);
    expect_true("kernel memory came back", frames_of(willing) == had - context_frames - kEnvFrames, frames_of(willing));

    ask(partly, RevocationKind::frames, kAny, 12, 5, 7);
    const u64 named = run_of(wrong_one.id, 6);
    ask(wrong_one, RevocationKind::frames, named, 8, 3, 5);  // two of them are not its own
    ask(wrong_one, RevocationKind::frames, kAny, 9, 1, 8);

    had = frames_of(silent);
    ask(silent, RevocationKind::frames, kAny, kDiscarded + 4, 0, kDiscarded + 4);
    ask(silent, RevocationKind::frames, kAny, 4, 0, 4);
    expect_true("took no more than asked", frames_of(silent) == had - kDiscarded - kCopied, frames_of(silent));

    had = frames_of(deaf);
    ask(deaf, RevocationKind::kernel_memory, kAny, 3, 0, context_frames);
    ask(deaf, RevocationKind::kernel_memory, kAny, 3, 0, kEnvFrames);
    expect_true("its context and its child are gone", frames_of(deaf) == had - context_frames - kEnvFrames, frames_of(deaf));
    ask(deaf, RevocationKind::slots, kAny, 1, 0, 1);
    ask(deaf, RevocationKind::frames, kAny, 10, 0, 10);
    return verdict("asker");
}

}  // namespace

int libos_main() {
    role = argument("role");
    return role == "asker" ? ask_everybody() : be_asked();
}
