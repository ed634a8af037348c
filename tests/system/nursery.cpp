// Brings up environments that are to be killed, again and again, and lets them do everything that environments do. What
// they share is taken away under their hands. It keeps count of who died doing what, and of its own holdings.
//
//   seed=N       where the random numbers begin; everybody's come from it
//   places=N     how many victims at a time
//   monitors=N   of a hundred victims, how many have guests; none, if nothing is said
//   until=NAME   goes on until this environment is no more
#include "libos/core/pages.hpp"
#include "secure_bindings/capability.hpp"
#include "tests/system/faults/guest_work.hpp"
#include "tests/system/faults/revocation_work.hpp"

using namespace tessera;
using namespace tessera::faults;

namespace {

constexpr Rights kReadWrite = Right::read | Right::write;
constexpr u64 kSlots = 24, kSlotsElsewhere = 2;
Capability slots[kSlots];
u64 slot_count, state, places, monitors_wanted, born, moves, taken_away, repossessed;
u64 deaths[kDoings], quota_at_start;
Memory audit;  // where frames that were somebody's are looked at
Memory spare;  // an empty frame, for where they go while they are looked at

void work(Child& child);
void breed(Victim& victim);

using Step = void (*)(Victim&);
struct Kind {
    const char* name;
    Step steps[4];
    u64 quota;
};
constexpr Kind kKinds[] = {
    {"v-binder", {bind, bind, compute, yield_somewhere}, 1},
    {"v-writer", {touch, touch, bind, compute}, 3},
    {"v-owner", {use_memory, make_context, bind, compute}, 41},
    {"v-slots", {take_slots, yield_somewhere, compute, use_memory}, 9},
    {"v-yielder", {yield_somewhere, yield_somewhere, compute, yield_somewhere}, 1},
    {"v-caller", {call_somebody, call_somebody, call_somebody, compute}, 1},
    {"v-server", {serve, serve, serve, serve}, 1},
    {"v-server", {serve, serve, serve, serve}, 5},
    {"v-sender", {send_somewhere, call_somebody, yield_somewhere, sleep}, 1},
    {"v-sleeper", {sleep, sleep, compute, send_somewhere}, 1},
    {"v-giver", {hear, hear, take_slots, make_context}, 61},
    {"v-giver", {hear, hear, sleep, call_somebody}, 23},
    {"v-mother", {breed, breed, yield_somewhere, compute}, 31},
    // From here on they have guests.
    {"v-monitor", {change_guests, load_guest, run_guest, change_contexts}, 61},
    {"v-monitor", {run_guest, load_guest, run_guest, lend_frame}, 61},
    {"v-lender", {change_contexts, lend_frame, run_guest, sleep}, 81},
    {"v-lender", {lend_frame, lend_frame, lend_frame, yield_somewhere}, 31},
    {"v-listener", {hear, run_guest, load_guest, change_contexts}, 81},
    {"v-matron", {breed, load_guest, run_guest, run_guest}, 131},
};
constexpr u64 kKindCount = sizeof kKinds / sizeof kKinds[0], kFirstMonitor = 13, kMonitors = kKindCount - kFirstMonitor;

bool is_mother(const Victim& victim) { return kKinds[victim.kind].steps[0] == breed; }

void work(Child& child) {
    Victim& victim = *reinterpret_cast<Victim*>(&child);
    for (; victim.fuse != 0; --victim.fuse) kKinds[victim.kind].steps[below(victim, 4)](victim);
    end_itself(victim);
}

/// Bring one up at `victim`. Its random numbers come from `from`.
Error raise(Victim& victim, const char* name, u64 quota, VirtAddr context, u64& from) {
    enter(victim, Doing::starting);
    victim.random = random_word(from) | 1;
    victim.fuse = 20 + random_word(from) % 400;
    victim.quota = quota;
    victim.child.frames = victim.area = victim.scratch = {};
    monitors[victim.place] = {};
    const Error made = make_child(victim.child, name, work, 0, quota, context);
    if (made == Error::ok) diary.id[victim.place] = victim.child.id;
    if (made != Error::ok && victim.child.frames.kind == ResourceKind::frames)
        attempt<FrameRelease>({address(victim.child.frames), FrameNumber{victim.child.frames.first}, kEnvFrames});
    return made;
}

/// A child in memory of the victim's own: it ends with its mother, if not before.
void breed(Victim& victim) {
    enter(victim, Doing::breeding);
    Victim& child = victims[kPlaces + victim.place];
    if (alive(child.child.id)) {
        if (one_in(victim, 4)) attempt<EnvDestroy>({address(child.child.environment)});
        else yield(child.child.id);
        return;
    }
    child.place = kPlaces + victim.place;
    const bool has_guests = victim.kind >= kFirstMonitor;
    child.kind = has_guests ? kFirstMonitor + below(victim, kMonitors - 1) : below(victim, 2);
    raise(child, "v-child", has_guests ? 61 : 2, address(victim.own.context.kind != ResourceKind::none ? victim.own.context : boot().context), victim.random);
}

/// A context in which the image is bound where it is here, so that the same code runs in it.
bool make_own_context(Victim& victim) {
    Capability frames;
    ContextSpec spec{address(frames), 128, 256, 32};
    const auto taken = attempt<FrameAlloc>({FrameNumber{kAny}, spec.frames_needed(), 1, address(frames)});
    if (taken.error != Error::ok) return false;
    if (attempt<ContextCreate>({address(spec), address(victim.own)}).error != Error::ok) {
        attempt<FrameRelease>({address(frames), FrameNumber{taken.value}, spec.frames_needed()});
        return false;
    }
    const auto everything = PageSpan::make(boot().image_page, boot().image_pages, kReadWrite | Right::execute).with(SpanFlag::guaranteed);
    expect("bind the image elsewhere", attempt<Bind>({address(boot().image), boot().image_frame, everything, address(victim.own.context), {}}).error, Error::ok);
    return true;
}

void drop_own_context(Victim& victim) {
    if (victim.own.context.kind == ResourceKind::none) return;
    expect("destroy the context of a dead one", attempt<ContextDestroy>({address(victim.own.context)}).error, Error::ok);
    victim.own = {};
}

/// Let the reaper, and nobody else, read the diary.
Error show_diary(EnvId reaper) {
    const FrameNumber frame = boot().image_frame + (page_of(address(diary)) - boot().image_page);
    Capability shown = boot().image;
    for (const Caveat& caveat : {only_range(frame.value, 1), only_rights(Right::read), only_presenter(reaper)})
        if (const auto narrowed = attenuate(shown, caveat); narrowed.ok()) shown = narrowed.value();
    return answer_to<PostCapability>({address(shown), kDiaryPost, 0});
}

/// The quota that was passed on is what the living have.
void check_quota() {
    u64 passed_on = 0;
    for (u64 i = 0; i < places; ++i) passed_on += alive(victims[i].child.id) ? victims[i].quota : 0;
    const u64 quota = static_cast<const volatile u64&>(accounts().frame_quota);  // between the two sums, and not before
    u64 still = 0;
    for (u64 i = 0; i < places; ++i) still += alive(victims[i].child.id) ? victims[i].quota : 0;
    if (passed_on == still) expect_true("the quota of the dead is back", quota + passed_on == quota_at_start, quota_at_start - quota);
}

/// Look after one place: whoever died there is buried, somebody else raised.
void look_after(u64 place, bool raise_another) {
    Victim& victim = victims[place];
    if (alive(victim.child.id)) return;
    if (victim.child.id) {
        ++deaths[static_cast<u64>(diary.doing[place]) % kDoings];
        victim.child.id = {};
        check_quota();
        // Its child stood in its memory: it must have ended with it.
        if (is_mother(victim)) expect_true("a child of the dead lives", !alive(victims[kPlaces + place].child.id));
        drop_own_context(victim);
    }
    if (!raise_another) return;
    victim.kind = monitors_wanted != 0 && below(state, 100) < monitors_wanted ? kFirstMonitor + below(state, kMonitors) : below(state, kFirstMonitor);
    victim.place = place;
    const bool own = below(state, 3) == 0 && make_own_context(victim);
    const Kind& kind = kKinds[victim.kind];
    const Error made = raise(victim, kind.name, kind.quota, address(own ? victim.own.context : boot().context), state);
    expect_true("a victim", made == Error::ok || made == Error::exhausted || made == Error::quota, static_cast<u64>(made));
    if (made != Error::ok) {
        drop_own_context(victim);
        return;
    }
    ++born;
}

/// The reaper may ask for the very frames that are being looked at, and have them.
[[gnu::target("general-regs-only")]] bool bind_spare(VirtAddr at, u64) {
    if (page_of(at) - audit.page >= audit.count) return false;
    const PageSpan span = PageSpan::make(page_of(at), 1, Right::read).with(SpanFlag::guaranteed);
    return raw_call(Bind::number, {reinterpret_cast<u64>(&spare.capability), spare.frame.value, span.bits, 0, 0}).error == Error::ok;
}

/// Frames that were others' are empty, and nobody writes to them any more.
void look_at(const Memory& memory) {
    for (u64 again = 0; again < 2; ++again) {
        u64 words = 0;
        for (u64 i = 0; i < memory.count * kPageSize / 8; i += 3) words += static_cast<volatile u64*>(memory.words())[i] != 0;
        expect_true("somebody wrote to frames that are not his any more", words == 0, words);
        for (u64 i = 0, rounds = below(state, 2000); i < rounds; ++i) asm volatile("pause");
    }
}

/// Take the common frames away from all who have them bound.
void drop_commons() {
    if (commons.frames.kind != ResourceKind::frames) return;
    // The reaper may have had them, or some of them, repossessed: then the rest goes back one by one.
    if (attempt<FrameRelease>({address(commons.frames), commons.first, Commons::kFrames}).error == Error::ok) ++taken_away;
    else ++repossessed;
    for (u64 i = 0; i < Commons::kFrames; ++i) attempt<FrameRelease>({address(commons.frames), commons.first + i, 1});
    commons.frames = {};
}

/// And put others, or the same again, in their place.
void replace_commons() {
    drop_commons();
    const FrameNumber wish = below(state, 2) == 0 ? FrameNumber{kAny} : commons.first;
    auto taken = attempt<FrameAlloc>({wish, Commons::kFrames, 1, address(audit.capability)});
    if (taken.error != Error::ok) taken = attempt<FrameAlloc>({FrameNumber{kAny}, Commons::kFrames, 1, address(audit.capability)});
    if (taken.error != Error::ok) return;
    audit.frame = FrameNumber{taken.value};
    if (bind_all(audit) == Error::ok) look_at(audit);
    expect("unbind it", unbind_all(audit), Error::ok);
    commons.first = audit.frame;
    commons.frames = audit.capability;
    expect("show them", answer_to<PostCapability>({address(commons.frames), kCommonsPost, 0}), Error::ok);
}

/// What victims run in: all but the first of its slots, and some on every other CPU.
void collect_slots() {
    for (u64 i = 1; i < 8 && boot().slots[i].kind == ResourceKind::slots; ++i) slots[slot_count++] = boot().slots[i];
    for (u64 cpu = 0; cpu < information().cpus; ++cpu)
        for (u64 i = 0; i < kSlotsElsewhere && cpu != boot().cpu && slot_count < kSlots; ++i)
            if (attempt<SlotTake>({cpu, SlotNumber{kAny}, 1, address(slots[slot_count])}).error == Error::ok) ++slot_count;
}

/// Let one of the slots run a victim, which moves to its CPU for that; or not, then the slot is passed over.
void deal_a_slot() {
    if (slot_count == 0) return;
    const Capability& slot = slots[below(state, slot_count)];
    const Victim& victim = victims[below(state, places)];
    if (below(state, 2) == 0 && attempt<EnvPlace>({address(victim.child.environment), slot.first / kSlotsPerCpu}).error == Error::ok) ++moves;
    attempt<SlotRun>({address(slot), SlotNumber{slot.first}, 1, victim.child.id});
}

/// One of the nursery's own contexts, which victims' guests may be running in: then it stays.
void replace_guest_context(u64 kind) {
    static ContextSpec spec;
    static Capability frames;
    ContextGrant& grant = guest_contexts[2 * kPlaces + kind];
    if (grant.context.kind != ResourceKind::none) {
        const Error answer = attempt<ContextDestroy>({address(grant.context)}).error;
        expect_true("destroyed, or in use", answer == Error::ok || answer == Error::in_use, static_cast<u64>(answer));
        if (answer != Error::ok) return;
        grant = {};
    }
    const Error made = make_guest_context(context_kind(kind), spec, frames, grant);
    expect_true("a context for guests", made == Error::ok || made == Error::exhausted || made == Error::quota, static_cast<u64>(made));
    if (made == Error::ok) attempt<PostCapability>({address(grant.context), kContextPost, 0});
}

/// None of ours lives, and others' that are loaded with one of these do not live for long: then nobody is said to run in it.
void drop_guest_contexts() {
    for (u64 i = 2 * kPlaces; i < 2 * kPlaces + kContextKinds; ++i) {
        if (guest_contexts[i].context.kind == ResourceKind::none) continue;
        Error answer;
        while ((answer = attempt<ContextDestroy>({address(guest_contexts[i].context)}).error) == Error::in_use) yield();
        expect("destroy what nobody's guest is loaded with", answer, Error::ok, i);
        guest_contexts[i] = {};
    }
}

void end_all() {
    for (u64 i = 0; i < places; ++i) {
        if (alive(victims[i].child.id)) attempt<EnvDestroy>({address(victims[i].child.environment)});
        look_after(i, false);
    }
}

void one_round() {
    for (u64 i = 0; i < places; ++i) look_after(i, true);
    deal_a_slot();
    if (below(state, 4) == 0) replace_commons();
    if (monitors_wanted != 0 && below(state, 8) == 0) replace_guest_context(below(state, kContextKinds));
    if (below(state, 16) == 0) attempt<EnvDestroy>({address(victims[below(state, places)].child.environment)});
    yield(below(state, 3) == 0 ? EnvId{} : victims[below(state, places)].child.id);
}

}  // namespace

int libos_main() {
    places = argument("places", kPlaces);
    monitors_wanted = argument("monitors", 0);
    if (places > kPlaces || !pin_image().ok()) return 3;
    state = argument("seed", 1) * 0x9e37'79b9'7f4a'7c15 + boot().self.index();
    quota_at_start = accounts().frame_quota;
    audit.page = fresh_pages(Commons::kFrames);
    audit.count = Commons::kFrames;
    if (!take(spare, 1)) return 3;
    set_fault_policy(bind_spare);
    if (monitors_wanted != 0 && !make_guest_program()) return 3;
    // Without the common frames, which the reaper may take at any moment, from the first on.
    const u64 frames_at_start = accounts().frames;
    replace_commons();
    collect_slots();
    const u64 slots_at_start = accounts().slots;
    const EnvId reaper = environment_named("reaper"), until = environment_named(argument("until"));
    expect("show the diary", show_diary(reaper), Error::ok);
    while (alive(until) && wrong == 0) {
        if (who_wants_stillness() != reaper) {
            one_round();
            continue;
        }
        end_all();
        drop_guest_contexts();
        while (who_wants_stillness() == reaper) yield();
    }
    end_all();
    drop_guest_contexts();
    drop_commons();
    expect_true("all quota is back", accounts().frame_quota == quota_at_start, accounts().frame_quota);
    expect_true("all frames are back", accounts().frames == frames_at_start, accounts().frames);
    expect_true("all slots are back", accounts().slots == slots_at_start, accounts().slots);
    Json json;
    json.field("born", born);
    json.field("moves", moves);
    json.field("calls", calls);
    json.field("answered", answered);
    json.field("upcalls", told);
    json.field("taken_by_force", taken_by_force);
    json.field("taken_away", taken_away);
    json.field("commons_repossessed", repossessed);
    for (u64 i = 0; i < kDoings; ++i) json.field(kDoingNames[i], deaths[i]);
    json.field("guest_loads", guest_loads);
    json.field("runs_in_ring_3", guest_runs[0]);
    json.field("runs_with_svm", guest_runs[1]);
    json.field("guest_misses", guest_misses);
    json.field("guest_halts", guest_ends[0]);
    json.field("guest_calls", guest_ends[1]);
    json.field("guest_preempted", guest_ends[2]);
    expect_true("told", json.send().ok());
    return verdict("nursery");
}
