// A libOS that is flat, pinned and event-driven: everything is bound before it begins, in guaranteed mappings
// and one of 2 MiB, and never faults. It has no threads and no stack of its own to switch: the beginning of a
// slice is an event, and an event is a piece of work done.
//
// The work is a ring of cells under rule 90 (each cell becomes the sum of its neighbours, modulo 2). As that is
// linear, 2^k steps at once are one step with neighbours 2^k away: so the result can be checked by another way
// of computing it. Arguments: rounds= (steps in all)  steps= (an event)  pages= (of cells, at most 128)
#include "libos/core/libos.hpp"
#include "libos/core/pages.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

/// Events, from the upcall handler to the loop. One writer, one reader, which the writer interrupts.
struct Events {
    volatile u64 arrived = 0;
    u64 taken = 0;
    volatile u64 slices_ended = 0;

    bool take() {
        if (taken == arrived) return false;
        ++taken;
        return true;
    }
};
Events events;

[[LIBOS_HANDLER]] void slice_begins(SaveRecord&) { events.arrived = events.arrived + 1; }
[[LIBOS_HANDLER]] void slice_ends(SaveRecord& record) {
    events.slices_ended = events.slices_ended + 1;
    on_slice_end(record);
}

/// A ring of cells, 64 to a word.
struct Ring {
    u64* word;
    u64 words;

    /// The 64 cells from cell `at` on, at any distance around.
    u64 cells(u64 at) const {
        const u64 first = at / 64 % words, shift = at % 64;
        if (shift == 0) return word[first];
        return word[first] >> shift | word[(first + 1) % words] << (64 - shift);
    }
    /// One step with neighbours `distance` away, into another ring.
    void step(const Ring& to, u64 distance) const {
        const u64 around = words * 64, away = distance % around;
        for (u64 i = 0; i < words; ++i) to.word[i] = cells(i * 64 + away) ^ cells(i * 64 + around - away);
    }
    void seed() const {
        for (u64 i = 0; i < words; ++i) word[i] = (i + 1) * 0x9e37'79b9'7f4a'7c15;
    }
    u64 sum() const {
        u64 sum = 0;
        for (u64 i = 0; i < words; ++i) sum = sum * 31 + word[i];
        return sum;
    }
};

void swap(Ring& a, Ring& b) {
    const Ring kept = a;
    a = b;
    b = kept;
}

/// The 2 MiB that the cells lie in: one frame allocation, one binding. nullptr: not to be had.
u64* pinned_cells() {
    static Capability frames;
    const PageNumber page = reserve_pages(kPagesPerLarge, kPagesPerLarge);
    const auto frame = call<FrameAlloc>({FrameNumber{kAny}, kPagesPerLarge, kPagesPerLarge, address(frames)});
    if (!frame.ok()) return nullptr;
    const PageSpan span =
        PageSpan::make(page, 1, Right::read | Right::write).with(SpanFlag::large).with(SpanFlag::guaranteed);
    if (!call<Bind>({address(frames), frame.value(), span, {}, {}}).ok()) return nullptr;
    return reinterpret_cast<u64*>(address_of(page).value);
}

}  // namespace

int libos_main() {
    const u64 rounds = argument("rounds", 600), steps = argument("steps", 10), pages = argument("pages", 16);
    if (pages == 0 || pages > 128 || steps == 0) return 2;
    u64* const cells = pinned_cells();
    if (cells == nullptr || !pin_image().ok()) {
        print("cannot pin everything\n");
        return 1;
    }
    const u64 words = pages * kPageSize / 8;
    Ring now{cells, words}, next{cells + words, words};
    now.seed();

    if (!set_handler<UpcallKind::slice_begin, slice_begins>().ok()) return 1;
    if (!set_handler<UpcallKind::slice_end, slice_ends>().ok()) return 1;
    const u64 misses_before = accounts().misses;
    for (u64 done = 0; done < rounds;) {
        if (!events.take()) {
            // Nothing to do until the next slice.
            if (!call<Yield>().ok()) return 1;
            continue;
        }
        for (u64 i = 0; i < steps && done < rounds; ++i, ++done) {
            now.step(next, 1);
            swap(now, next);
        }
    }
    const u64 misses = accounts().misses - misses_before;
    const u64 sum = now.sum();

    now.seed();
    for (u64 k = 0; rounds >> k != 0; ++k) {
        if ((rounds >> k & 1) == 0) continue;
        now.step(next, u64{1} << k);
        swap(now, next);
    }
    const bool right = sum == now.sum() && misses == 0;
    print(right ? "right: " : "WRONG: ", rounds, " steps over ", pages, " pages in ", events.taken, " events, ",
          events.slices_ended, " slices to the end, ", misses, " page faults\n");
    const Outcome sent =
        record("program", "flat", "steps", rounds, "pages", pages, "sum", hex(sum), "right", right, "events",
               events.taken, "slices_ended", u64{events.slices_ended}, "misses", misses, "slices", accounts().slices);
    return right && sent.ok() ? 0 : 1;
}
