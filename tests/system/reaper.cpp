// Kills environments at random moments: whoever's name begins with "v-" (the nurseries', nursery.cpp). Behind every kill it
// counts the machine's books again. At the end it kills a nursery with all that live in it.
//
//   seed=N      where the random numbers begin
//   kills=N     how many
//   guests=N    at least so many of whom are to be killed while a guest of theirs runs, or has been preempted
//   last=NAME   whom it kills in the end; then it waits until all other environments without a name in `stay` are gone
//   stay=NAME   who stays
#include "secure_bindings/capability.hpp"
#include "tests/system/faults/audit.hpp"
#include "tests/system/faults/victim.hpp"
#include "tests/system/revoked.hpp"

using namespace tessera;
using namespace tessera::faults;

namespace {

constexpr u64 kPatience = 5000;  // tries to find somebody
constexpr u64 kStillEvery = 25;  // kills
u64 state, kills, late, audits, moving, stopped, asked, killed_asked;
u64 still_at = kStillEvery;
u64 killed[kDoings + 1];  // by what they were doing; behind that: nobody knows

u64 below(u64 bound) { return random_word(state) % bound; }

std::string_view name_at(u64 index) { return environment_info(EnvId{index}).name; }
EnvId id_at(u64 index) { return EnvId{static_cast<volatile const u32&>(environment_info(EnvId{index}).id)}; }

/// A random moment: within a slice by a loop of its own, then some slices later by leaving it to others.
void let_time_pass() {
    for (u64 slices = below(4); slices != 0; --slices) yield();
    const u64 begin = ticks(), length = below(information().quantum / 2);
    for (u64 rounds = below(2000); rounds != 0 && ticks() - begin < length; --rounds) asm volatile("pause");
}

/// The capability for all, narrowed to one.
Error kill(u64 index) {
    const auto one = attenuate(boot().every_environment, only_range(index, 1));
    if (!one.ok()) return one.error();
    const Capability narrowed = one.value();
    return answer_to<EnvDestroy>({address(narrowed)});
}

/// The diary that the environment at `index` has shown us, bound here; null: none.
const volatile Diary* diary_of(u64 index) {
    static Capability shown[kMaxEnvironments];
    static PageNumber pages[kMaxEnvironments];
    const volatile Post& post = post_of(EnvId{index}, kDiaryPost);
    if (post.owner == 0 || post.owner != id_at(index).value) return nullptr;
    shown[index] = post_of(EnvId{index}, kDiaryPost).capability;
    if (pages[index].value == 0) pages[index] = fresh_pages(1);
    const PageSpan span = PageSpan::make(pages[index], 1, Right::read).with(SpanFlag::guaranteed);
    if (answer_to<Bind>({address(shown[index]), FrameNumber{shown[index].caveat[0].a}, span, {}, {}}) != Error::ok) return nullptr;
    return reinterpret_cast<const volatile Diary*>(address_of(pages[index]).value);
}

/// Where it is written what `id` is doing; null: nowhere.
const volatile Doing* find_in_diaries(EnvId id) {
    for (u64 index = 1; index < kMaxEnvironments; ++index) {
        const volatile Diary* diary = diary_of(index);
        for (u64 place = 0; diary != nullptr && place < 2 * kPlaces; ++place)
            if (diary->id[place].value == id.value) return &diary->doing[place];
    }
    return nullptr;
}

/// The first environment from a random place on that is `right`; 0: there is none.
template <class Right>
u64 find(Right&& right) {
    const u64 from = below(kMaxEnvironments);
    for (u64 i = 0; i < kMaxEnvironments; ++i)
        if (const u64 index = (from + i) % kMaxEnvironments; id_at(index) && right(index)) return index;
    return 0;
}
bool is_victim(u64 index) { return name_at(index).starts_with("v-"); }
bool has_something(u64 index) { return is_victim(index) && (environment_info(EnvId{index}).frames | environment_info(EnvId{index}).slots) != 0; }
bool shows_commons(u64 index) { return post_of(EnvId{index}, kCommonsPost).owner == id_at(index).value; }

/// On one CPU a slice is long enough; with more, others have to be asked to keep still.
void balance() {
    ++(books_balance(information().cpus == 1 ? 20 : 2) ? audits : moving);
    if (information().cpus == 1) expect_true("counted behind every kill", moving == 0, kills);
}

/// Have everything stand still, and count.
void balance_in_stillness() {
    Capability slot;
    if (answer_to<SlotTake>({0, kStillness, 1, address(slot)}) != Error::ok) return;  // a victim has just that one: after the next kill, then
    while (find(is_victim) != 0) yield();
    expect_true("all stand still", books_balance(100'000));
    ++stopped;
    still_at = kills + kStillEvery;
    expect("let them go on", answer_to<SlotRelease>({address(slot), kStillness, 1}), Error::ok);
}

/// Has it been asked for something that it still owes?
bool owes(EnvId id) {
    bool any = false;
    for (u64 i = 0; i < kRequests; ++i) {
        const RevocationRequest& row = request_at(id.index() * kRequests + i);
        any |= row.target == id.value && row.state != RequestState::unused && !is_done(row);
    }
    return any;
}

/// Ask for units back, with little time to find them: of anything, or the very common frames of a nursery.
void ask(u64 index) {
    const u64 grace = information().grace;
    RevocationSpec spec{static_cast<RevocationKind>(below(kRevocationKinds)), 0, kAny, 1 + below(8), grace * (1 + below(4)), grace * (1 + below(8))};
    if (const u64 nursery = find(shows_commons); nursery != 0 && below(4) == 0) {
        index = nursery;
        const u64 offset = below(Commons::kFrames);
        spec.kind = RevocationKind::frames;
        spec.first = static_cast<const volatile u64&>(post_of(EnvId{nursery}, kCommonsPost).capability.first) + offset;
        spec.count = 1 + below(Commons::kFrames - offset);
    }
    const Error answer = answer_to<Revoke>({address(boot().every_environment), id_at(index), address(spec)});
    asked += answer == Error::ok;
    expect_true("asked, or gone, or asked enough", answer == Error::ok || answer == Error::not_found || answer == Error::exhausted,
                static_cast<u64>(answer));
}

/// False: there was nobody.
bool kill_one() {
    const bool asks = below(2) == 0;
    u64 index = asks ? find(has_something) : 0;
    if (index == 0) index = find(is_victim);
    if (index == 0) return false;
    const EnvId id = id_at(index);
    if (asks) {
        ask(index);
        if (below(2) == 0) let_time_pass();
        if (below(2) == 0) return true;
    }
    const volatile Doing* line = find_in_diaries(id);
    if (line != nullptr && *line == Doing::starting && below(8) != 0) return true;  // nothing to be found there
    const bool owed = owes(id);
    const Error answer = kill(index);
    if (answer == Error::ok) {
        ++kills;
        killed_asked += owed;
        const Doing doing = line != nullptr ? static_cast<Doing>(*line) : Doing{kDoings};
        ++killed[static_cast<u64>(doing) < kDoings ? static_cast<u64>(doing) : kDoings];
    } else {
        ++late;
    }
    expect_true("killed, or gone before", answer == Error::ok || answer == Error::stale_capability, static_cast<u64>(answer));
    // If it died just before, whoever came to its place was killed.
    expect_true("the dead are dead", answer != Error::ok || id_at(index) != id, id.value);
    if (id_at(index) != id) expect_true("nothing is left of the dead", nothing_left_of(id), id.value);
    balance();
    if (kills >= still_at) balance_in_stillness();
    return true;
}

/// Is anybody there whom the end has to wait for?
bool others_live(std::string_view stay) {
    for (u64 i = 1; i < kMaxEnvironments; ++i)
        if (id_at(i) && id_at(i) != boot().self && name_at(i) != stay) return true;
    return false;
}

}  // namespace

int libos_main() {
    const u64 seed = argument("seed", 1), wanted = argument("kills", 300);
    const std::string_view last = argument("last"), stay = argument("stay");
    state = seed * 0x9e37'79b9'7f4a'7c15 + 1;
    for (u64 idle = 0; kills < wanted && wrong == 0 && idle < kPatience;) {
        let_time_pass();
        idle = kill_one() ? 0 : idle + 1;
    }
    expect_true("enough to kill", kills >= wanted, kills);
    for (u64 i = 1; i < kMaxEnvironments; ++i)
        if (id_at(i) && name_at(i) == last) expect("kill the nursery", kill(i), Error::ok);
    while (others_live(stay)) yield();
    expect_true("the machine stands still in the end", books_balance(100'000));
    if (wrong != 0) print("WRONG with seed=", seed, " after ", kills, " kills\n");
    expect_true("everything stood still at times", stopped != 0);
    const u64 in_guests = killed[static_cast<u64>(Doing::in_guest)];
    expect_true("enough killed in a guest", in_guests >= argument("guests", 0), in_guests);
    print(kills, " kills; counted again ", audits, " times in passing, ", stopped, " times with all standing still\n");
    Json json;
    json.field("seed", seed);
    json.field("kills", kills);
    json.field("asked", asked);
    json.field("kills_of_debtors", killed_asked);
    json.field("late", late);
    json.field("counted", audits);
    json.field("counted_still", stopped);
    for (u64 i = 0; i < kDoings; ++i) json.field(kDoingNames[i], killed[i]);
    json.field("unknown", killed[kDoings]);
    expect_true("told", json.send().ok());
    return verdict("reaper");
}
