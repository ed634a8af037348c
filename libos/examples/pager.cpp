// A libOS that pages on demand: more pages than frames, evicted by a policy of its own, put out squeezed.
//
// The work is a table of counters with a rule for what each must hold, so that a page that came back wrong,
// late or not at all shows. Arguments: pages= frames= rounds= policy=own|fifo|clock|aging
#include <memory>

#include "libos/core/libos.hpp"
#include "libos/core/pages.hpp"
#include "libos/heap/heap.hpp"
#include "libos/paging/address_space.hpp"
#include "libos/paging/paged_region.hpp"
#include "libos/paging/regions.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

/// Our own: pages at random, but none that was used since we last looked, as far as three looks find one.
class LuckyDip final : public Eviction {
  public:
    void on_filled(u64) override {}
    u64 choose(u64 count, UseBits& used) override {
        u64 place = next() % count;
        for (u64 look = 0; look < 3 && used.test_and_clear(place); ++look) place = next() % count;
        return place;
    }

  private:
    u64 next() {
        state_ = state_ * 6364136223846793005 + 1442695040888963407;
        return state_ >> 33;
    }
    u64 state_ = 1;
};

Eviction& policy_named(std::string_view name) {
    if (name == "fifo") return *new Fifo;
    if (name == "clock") return *new Clock;
    if (name == "aging") return *new Aging;
    return *new LuckyDip;
}

/// What word `word` of page `page` holds after `turn` turns.
constexpr u64 rule(u64 page, u64 word, u64 turn) {
    return turn == 0 ? 0 : (page * 512 + word + 1) * 0x9e37'79b9'7f4a'7c15 ^ turn << 40;
}

constexpr u64 kWordsTouched = 8;

/// One turn of a page: all words must be as the rule says, and become what it says next. False: they are not.
bool take_turn(u64* table, u64 page, u32& turn) {
    for (u64 i = 0; i < kWordsTouched; ++i) {
        const u64 word = (i * 67 + page) % 512;
        u64& value = table[page * 512 + word];
        if (value != rule(page, word, turn)) {
            print("page ", page, " word ", word, " holds ", hex(value), " after ", turn, " turns\n");
            return false;
        }
        value = rule(page, word, turn + 1);
    }
    ++turn;
    return true;
}

template <class T>
std::span<T> many(u64 count) {
    return {new T[count], count};
}

}  // namespace

int libos_main() {
    const u64 pages = argument("pages", 256), frames = argument("frames", 64), rounds = argument("rounds", 20);
    if (pages == 0 || frames == 0 || frames > FramePool::kMaxFrames || rounds == 0) return 2;

    // What the handler itself needs never faults: the page table, the S-TLB to look at.
    static Capability nodes_capability;
    constexpr u64 kNodes = 8;
    const auto nodes = map_guaranteed(kNodes, nodes_capability);
    const auto stlb = map_stlb();
    if (!nodes.ok() || !stlb.ok()) {
        print("no room for the page table: ", name_of(nodes.ok() ? stlb.error() : nodes.error()), "\n");
        return 1;
    }
    static u16 used[kNodes];
    static HierarchicalTable table({static_cast<HierarchicalTable::Node*>(memory_of(nodes.value())), kNodes}, used);
    static AddressSpace<HierarchicalTable> space(table);
    space.install();

    // The heap holds everything else, among it the store: bound flat, and bound again when it gets lost.
    static FramePool heap_frames, frames_to_page_in;
    const u64 heap_pages = 16 + pages / 4;
    if (!heap_frames.open(heap_pages).ok() || !frames_to_page_in.open(frames).ok()) return 1;
    static FlatRegion heap_region(reserve_pages(heap_pages), heap_pages, Right::read | Right::write);
    if (!heap_region.open(heap_frames.capability(), heap_frames.first()).ok()) return 1;
    if (!space.add_region(heap_region)) return 1;
    heap().open(memory_of(heap_region.first()), heap_pages * kPageSize);

    const std::string_view policy = argument("policy");
    auto& store = *new SqueezingStore(many<SqueezingStore::Unit>(pages * 10), many<u32>(pages));
    auto& region = *new PagedRegion(
        reserve_pages(pages), pages,
        {frames_to_page_in, space.add_source(frames_to_page_in.capability()), store, policy_named(policy),
         StlbView(static_cast<StlbEntry*>(memory_of(stlb.value())), boot().stlb_entries), many<PageNumber>(frames)});
    if (!space.add_region(region)) return 1;

    // A quarter of the pages gets three quarters of the turns.
    auto* const words = static_cast<u64*>(memory_of(region.first()));
    const std::span<u32> turns = many<u32>(pages);
    u64 random = 42;
    for (u64 step = 0; step < rounds * pages; ++step) {
        random = random * 6364136223846793005 + 1442695040888963407;
        const u64 within = step % 4 == 0 ? pages : (pages + 3) / 4;
        const u64 page = (random >> 33) % within;
        if (!take_turn(words, page, turns[page])) return 1;
    }

    u64 sum = 0, expected = 0;
    for (u64 page = 0; page < pages; ++page) {
        for (u64 word = 0; word < 512; ++word) sum += words[page * 512 + word];
        for (u64 i = 0; i < kWordsTouched; ++i) {
            const u64 word = (i * 67 + page) % 512;
            expected += rule(page, word, turns[page]);
        }
    }
    const auto& counts = region.counts();
    const bool right = sum == expected && (pages <= frames || counts.evictions > 0);
    print(right ? "right: " : "WRONG: ", rounds * pages, " turns on ", pages, " pages in ", frames, " frames, ",
          counts.faults, " faults, ", counts.evictions, " evictions, ", counts.writes, " written out\n");
    const Outcome sent =
        record("program", "pager", "policy", policy.empty() ? "own" : policy, "pages", pages, "frames", frames, "turns",
               rounds * pages, "sum", hex(sum), "right", right, "faults", counts.faults, "zero_fills",
               counts.zero_fills, "reads", counts.reads, "writes", counts.writes, "evictions", counts.evictions,
               "misses", accounts().misses, "slices", accounts().slices);
    return right && sent.ok() ? 0 : 1;
}
