// A libOS that ignores every request, so that its frames are taken by force: and that still comes to the right result.
//
// Most of its memory is seeded to be copied into a vault, from where it pages in again; some pages it computes again.
// What memory there is besides it takes too, until it is asked for the first time, and does not use. It works until it has
// lost something and nothing is asked any more, and for some rounds more. It checks that the repossession vector names each
// frame that it lost, once, and what became of its bytes.
// Arguments: vault= pages= computed= rounds= behind=name:upcalls,... (it begins when each of these has had so many: is at work)
#include "libos/examples/paging_program.hpp"
#include "libos/revocation/vault.hpp"
#include "libos/transfer/board.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

constexpr u64 kMostFrames = 1 << 15;  // of the machine
constexpr u64 kReserved = 4;          // frames of each pool that are not taken: without any it could not go on

FramePool saved_pool, computed_pool;
Capability hoard[32];
u64 hoarded = 0, named = 0, saved = 0, wrong = 0;

/// What the frame belonged to; nullptr: it was not ours.
const Capability* capability_for(FrameNumber frame) {
    const auto has = [frame](const Capability& range) { return frame.value - range.first < range.count; };
    for (const FramePool* pool : {&saved_pool, &computed_pool})
        if (has(pool->capability())) return &pool->capability();
    for (u64 i = 0; i < hoarded; ++i)
        if (has(hoard[i])) return &hoard[i];
    return nullptr;
}

/// One frame that the vector says was lost: was it ours, is it gone, is it named the first time, and was done with it what was
/// to be done? A frame of the first pool that held no page just then had nothing to save.
void check_frame(FrameNumber frame, AutosaveKind saved) {
    static u64 seen[kMostFrames / 64];
    const Capability* range = capability_for(frame);
    const bool computed = range == &computed_pool.capability(), written = range == &saved_pool.capability();
    u64* word = frame.value < kMostFrames ? &seen[frame.value / 64] : nullptr;
    const bool right = range != nullptr && !holds(*range, frame) && word != nullptr && !(*word >> frame.value % 64 & 1) &&
                       (saved == AutosaveKind::discard) == computed && (saved != AutosaveKind::copy || written);
    if (word != nullptr) *word |= u64{1} << frame.value % 64;
    named += right;
    wrong += !right;
}

void check_line(const Repossession& line) {
    for (u64 i = 0; i < line.count; ++i) check_frame(FrameNumber{line.first + i}, line.saved);
    if (line.saved == AutosaveKind::copy) saved += line.count;
}

/// As many frames as there are, up to `wanted`: so many in a row are not always there.
template <class Take>
bool take_some(u64 wanted, Take take) {
    for (; wanted > kReserved; wanted -= wanted / 16 + 1)
        if (take(wanted)) return true;
    return false;
}
bool open_some(FramePool& pool, u64 wanted) {
    return take_some(wanted, [&pool](u64 count) { return pool.open(count).ok(); });
}

Outcome keep_some(const FramePool& pool) {
    TRY(call<Reserve>({address(pool.capability()), pool.first(), kReserved, 1}));
    return Done{};
}

/// Whatever memory there is. Whoever is asked must give, so once it was asked it takes no more.
void take_the_rest() {
    const auto take = [](u64 count) { return call<FrameAlloc>({FrameNumber{kAny}, count, 1, address(hoard[hoarded])}).ok(); };
    while (hoarded < std::size(hoard) && accounts().asked == 0 && take_some(kMostPages, take)) ++hoarded;
}

/// False: one of them is not there.
bool wait_for_others(std::string_view list) {
    ListItem other{};
    while (take_item(list, other)) {
        const EnvId id = find_environment(other.name);
        while (is_alive(id) && environment_info(id).upcalls < other.number[0])
            static_cast<void>(sleep_until_any({}, ticks() + information().tsc_hz / 1000));
        if (!is_alive(id)) return false;
    }
    return list.empty();
}

}  // namespace

int libos_main() {
    const u64 pages = argument("pages", 256), constants = argument("computed", 32), rounds = argument("rounds", 10);
    if (pages <= kReserved || pages > kMostPages || constants <= kReserved || constants > kMostPages) return 2;
    if (!wait_for_others(argument("behind"))) {
        print("others are missing\n");
        return 1;
    }

    Space* space = open_space();
    static VaultStore vault(reserve_pages(pages), pages);
    static ComputedStore computed(compute_page);
    if (space == nullptr || !space->add_region(vault.region()) || !open_some(saved_pool, pages) || !open_some(computed_pool, constants)) {
        print("no memory\n");
        return 1;
    }
    if (!went_well("to find the vault", vault.open(argument("vault"), boot().name))) return 1;
    static Fifo orders[2];
    static PageNumber places[2][kMostPages];
    static PagedRegion written(reserve_pages(pages), pages,
                               {saved_pool, space->add_source(saved_pool.capability()), vault, orders[0], {},
                                {places[0], saved_pool.count()}});
    static PagedRegion read(reserve_pages(constants), constants,
                            {computed_pool, space->add_source(computed_pool.capability()), computed, orders[1], {},
                             {places[1], computed_pool.count()}, true});
    static PoolGiver unused_saved(saved_pool), unused_computed(computed_pool);
    static RegionGiver first(written, *space, kReserved, &vault.capability()), second(read, *space, kReserved);
    observe_losses(check_line);
    if (!space->add_region(written) || !space->add_region(read) || !went_well("to lose pages", give_region(first, unused_saved, false)) ||
        !went_well("to lose pages", give_region(second, unused_computed, false)) || !went_well("to keep some", keep_some(saved_pool)) ||
        !went_well("to keep some", keep_some(computed_pool)) || !went_well("to seed", seed_discard(computed_pool)))
        return 1;

    auto* const table = static_cast<volatile u64*>(memory_of(written.first()));
    const auto* const computed_words = static_cast<const volatile u64*>(memory_of(read.first()));
    static u32 turns[kMostPages];
    PageDice dice;
    bool right = true;
    u64 sum = 0, expected = 0;
    for (Steps steps(rounds * pages); steps.go_on(saved != 0 && !is_asked());) {
        const u64 step = steps.number();
        if (step % pages == 0) take_the_rest();
        const u64 page = dice.next(pages), word = page % kWordsInPage, constant = page % constants;
        u32& turn = turns[page];
        right &= table[page * kWordsInPage + word] == (turn == 0 ? 0 : rule(page, word, turn));
        table[page * kWordsInPage + word] = rule(page, word, ++turn);
        sum += computed_words[constant * kWordsInPage + step % kWordsInPage];
        expected += rule(constant, step % kWordsInPage, 0);
    }
    for (u64 page = 0; page < pages; ++page) {
        for (u64 word = 0; word < kWordsInPage; ++word) sum += table[page * kWordsInPage + word];
        expected += turns[page] == 0 ? 0 : rule(page, page % kWordsInPage, turns[page]);
    }
    // The upcall that says so comes with a slice.
    while (repossessions->used != 0) static_cast<void>(sleep_until_any({}, ticks() + information().tsc_hz / 1000));
    const u64 lost = accounts().repossessed;
    right = right && sum == expected && wrong == 0 && saved != 0 && named + revocation_counts().unreported == lost;
    print(right ? "right: " : "WRONG: ", "was asked ", accounts().asked, " times, gave nothing, lost ", lost, " frames; the vector named ",
          named, "; paged in ", written.counts().reads, ", computed ", read.counts().reads, "\n");
    const Outcome sent = record("program", "hog", "right", right, "sum", hex(sum), "asked", accounts().asked, "repossessed", lost, "named", named,
                                "wrong", wrong, "pages_lost", written.counts().lost + read.counts().lost, "paged_in", written.counts().reads,
                                "computed", read.counts().reads);
    return right && sent.ok() ? 0 : 1;
}
