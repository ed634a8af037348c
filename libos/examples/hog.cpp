// A libOS that ignores every request, so that its frames are taken by force: and that still comes to the right result.
//
// Most of its memory is seeded to be copied into a vault, from where it pages in again; some pages it computes again.
// What memory there is besides it takes too, and does not use. It checks that the repossession vector names each frame
// that it lost, once, and what became of its bytes.
// Arguments: vault= pages= computed= rounds= after= (microseconds until it takes its memory)
#include "libos/examples/paging_program.hpp"
#include "libos/revocation/vault.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

constexpr u64 kMostFrames = 1 << 15;  // of the machine
constexpr u64 kReserved = 4;          // frames of each pool that are not taken: without any it could not go on

FramePool saved_pool, computed_pool, hoard[8];
u64 named = 0, wrong = 0;

FramePool* pool_of(FrameNumber frame) {
    const auto has = [frame](const FramePool& pool) { return frame - pool.first() < pool.count(); };
    for (FramePool* pool : {&saved_pool, &computed_pool})
        if (has(*pool)) return pool;
    for (FramePool& pool : hoard)
        if (has(pool)) return &pool;
    return nullptr;
}

/// One frame that the vector says was lost: was it ours, is it gone, is it named the first time, and was done with it what was
/// to be done? A frame of the first pool that held no page just then had nothing to save.
void check_frame(FrameNumber frame, AutosaveKind saved) {
    static u64 seen[kMostFrames / 64];
    const FramePool* pool = pool_of(frame);
    u64* word = frame.value < kMostFrames ? &seen[frame.value / 64] : nullptr;
    const bool right = pool != nullptr && !pool->holds(frame) && word != nullptr && !(*word >> frame.value % 64 & 1) &&
                       (saved == AutosaveKind::discard) == (pool == &computed_pool) &&
                       (saved != AutosaveKind::copy || pool == &saved_pool);
    if (word != nullptr) *word |= u64{1} << frame.value % 64;
    named += right;
    wrong += !right;
}

void check_line(const Repossession& line) {
    for (u64 i = 0; i < line.count; ++i) check_frame(FrameNumber{line.first + i}, line.saved);
}

/// As many frames as there are, up to `wanted`: so many in a row are not always there.
bool open_some(FramePool& pool, u64 wanted) {
    for (; wanted > kReserved; wanted -= wanted / 16 + 1)
        if (pool.open(wanted).ok()) return true;
    return false;
}

Outcome keep_some(const FramePool& pool) {
    TRY(call<Reserve>({address(pool.capability()), pool.first(), kReserved, 1}));
    return Done{};
}

void wait_until(u64 tsc) {
    while (ticks() < tsc) static_cast<void>(call<Wait>({{}, 0, tsc, 0}));
}

}  // namespace

int libos_main() {
    const u64 pages = argument("pages", 256), constants = argument("computed", 32), rounds = argument("rounds", 10);
    if (pages <= kReserved || pages > kMostPages || constants <= kReserved || constants > kMostPages) return 2;
    wait_until(ticks() + argument("after", 0) * (information().tsc_hz / 1'000'000));

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
    for (FramePool& pool : hoard) static_cast<void>(open_some(pool, kMostPages));

    auto* const table = static_cast<volatile u64*>(memory_of(written.first()));
    const auto* const computed_words = static_cast<const volatile u64*>(memory_of(read.first()));
    static u32 turns[kMostPages];
    PageDice dice;
    bool right = true;
    u64 sum = 0, expected = 0;
    for (u64 step = 0; goes_on(step, rounds * pages, accounts().repossessed != 0 && !is_asked()); ++step) {
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
    const u64 lost = accounts().repossessed;
    right = right && sum == expected && wrong == 0 && lost != 0 && (named == lost || revocation_counts().unreported != 0);
    print(right ? "right: " : "WRONG: ", "was asked ", accounts().asked, " times, gave nothing, lost ", lost, " frames; the vector named ",
          named, "; paged in ", written.counts().reads, ", computed ", read.counts().reads, "\n");
    const Outcome sent = record("program", "hog", "right", right, "sum", hex(sum), "asked", accounts().asked, "repossessed", lost, "named", named,
                                "wrong", wrong, "pages_lost", written.counts().lost + read.counts().lost, "paged_in", written.counts().reads,
                                "computed", read.counts().reads);
    return right && sent.ok() ? 0 : 1;
}
