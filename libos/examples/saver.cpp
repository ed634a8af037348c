// A libOS that pages: what it is asked for it saves in frames that a vault offers, and gives up. The same frames are
// where the kernel saves what it takes by force.
// It changes pages at random until it was asked, and for some rounds more; each must be as it was left.
// Arguments: vault= pages= frames= keep= rounds=
#include "libos/examples/paging_program.hpp"
#include "libos/revocation/vault.hpp"

using namespace tessera;
using namespace tessera::libos;

int libos_main() {
    const u64 pages = argument("pages", 256), frames = argument("frames", pages), keep = argument("keep", 16);
    const u64 rounds = argument("rounds", 10);
    if (pages == 0 || pages > kMostPages || frames == 0 || frames > pages) return 2;
    Space* space = open_space();
    static VaultStore store(reserve_pages(pages), pages);
    static FramePool pool;
    if (space == nullptr || !space->add_region(store.region()) || !pool.open(frames).ok()) return 1;
    if (!went_well("to find the vault", store.open(argument("vault"), boot().name))) return 1;
    static Fifo eviction;
    static PageNumber places[kMostPages];
    static PagedRegion region(reserve_pages(pages), pages,
                              {pool, space->add_source(pool.capability()), store, eviction, {}, {places, frames}});
    static PoolGiver unused(pool);
    static RegionGiver saved(region, *space, keep, &store.capability());
    if (!space->add_region(region) || !went_well("to answer revocation", give_region(saved, unused, true))) return 1;

    auto* const words = static_cast<volatile u64*>(memory_of(region.first()));
    static u32 turns[kMostPages];
    PageDice dice;
    AnswerLog answers;
    bool right = true;
    for (Steps steps(rounds * pages); steps.go_on(revocation_counts().requests != 0);) {
        const u64 page = dice.next(pages), word = page % kWordsInPage;
        u32& turn = turns[page];
        right &= words[page * kWordsInPage + word] == (turn == 0 ? 0 : rule(page, word, turn));
        words[page * kWordsInPage + word] = rule(page, word, ++turn);
        answers.tell();
    }
    u64 sum = 0, expected = 0;
    for (u64 page = 0; page < pages; ++page) {
        for (u64 word = 0; word < kWordsInPage; ++word) sum += words[page * kWordsInPage + word];
        expected += turns[page] == 0 ? 0 : rule(page, page % kWordsInPage, turns[page]);
    }
    right &= sum == expected;
    const auto& paging = region.counts();
    const RevocationCounts& revoked = revocation_counts();
    print(right ? "right: " : "WRONG: ", "gave ", revoked.given, " frames back, saved ", paging.writes, " pages, read ", paging.reads,
          " again, lost ", accounts().repossessed, "\n");
    const Outcome sent =
        record("program", "saver", "right", right, "sum", hex(sum), "requests", revoked.requests, "given", revoked.given, "owed",
               revoked.owed, "written", paging.writes, "read", paging.reads, "repossessed", accounts().repossessed);
    return right && sent.ok() ? 0 : 1;
}
