// A well-behaved libOS: its pages can be computed again, so it gives up as many as it is asked for, at once.
// It reads them at random until it was asked, and for some rounds more; each word is compared with what it must be.
// Arguments: pages= frames= keep= rounds=
#include "libos/examples/paging_program.hpp"

using namespace tessera;
using namespace tessera::libos;

int libos_main() {
    const u64 pages = argument("pages", 256), frames = argument("frames", pages), keep = argument("keep", 16);
    const u64 rounds = argument("rounds", 10);
    if (pages == 0 || pages > kMostPages || frames == 0 || frames > pages) return 2;
    Space* space = open_space();
    static FramePool pool;
    if (space == nullptr || !pool.open(frames).ok()) return 1;

    static ComputedStore store(compute_page);
    static Fifo eviction;
    static PageNumber places[kMostPages];
    static PagedRegion region(reserve_pages(pages), pages,
                              {pool, space->add_source(pool.capability()), store, eviction, {}, {places, frames}, true});
    static PoolGiver unused(pool);
    static RegionGiver computed(region, *space, keep);
    if (!space->add_region(region) || !went_well("to answer revocation", give_region(computed, unused, true)) ||
        !went_well("to seed", seed_discard(pool)))
        return 1;

    const auto* const words = static_cast<const volatile u64*>(memory_of(region.first()));
    PageDice dice;
    AnswerLog answers;
    u64 sum = 0, expected = 0;
    for (Steps steps(rounds * pages); steps.go_on(revocation_counts().requests != 0);) {
        const u64 page = dice.next(pages), word = steps.number() % kWordsInPage;
        sum += words[page * kWordsInPage + word];
        expected += rule(page, word, 0);
        answers.tell();
    }
    const auto& paging = region.counts();
    const RevocationCounts& revoked = revocation_counts();
    const bool right = sum == expected;
    print(right ? "right: " : "WRONG: ", "gave ", revoked.given, " frames back, computed ", paging.reads, " pages, lost ",
          accounts().repossessed, "\n");
    const Outcome sent = record("program", "recompute", "right", right, "sum", hex(sum), "requests", revoked.requests, "given",
                                revoked.given, "owed", revoked.owed, "computed", paging.reads, "repossessed", accounts().repossessed);
    return right && sent.ok() ? 0 : 1;
}
