// A libOS that takes memory and uses a part of it: for looking at how an arbiter divides memory up.
//
// It takes frames, a chunk each time it has gone over what it uses, until it has what it wants or gets no more; what it is
// asked for it gives back, what was taken last first. It works for a time given in microseconds, and begins with using all
// that it has; `idle_from` microseconds later it uses `uses` frames only.
// Arguments: wants= uses= idle_from= until=
#include "libos/core/libos.hpp"
#include "libos/core/pages.hpp"
#include "libos/core/preemption.hpp"
#include "libos/paging/region.hpp"
#include "libos/revocation/revocation.hpp"
#include "libos/transfer/wait.hpp"

using namespace tessera;
using namespace tessera::libos;

namespace {

/// Frames in chunks, each under its own capability and at its own place. Chunks are taken and given back at the end.
class Chunks final : public Giver {
  public:
    static constexpr u64 kFrames = 32, kMost = 160;

    void open() { first_ = reserve_pages(kMost * kFrames); }
    bool grow() {
        NoPreemption guard;
        // What is left of a chunk that was given back in part makes place for a whole one.
        if (count_ != 0 && chunk_[count_ - 1].held != kFrames) give(chunk_[count_ - 1].held);
        if (count_ == kMost) return false;
        Chunk& chunk = chunk_[count_];
        const auto frame = call<FrameAlloc>({FrameNumber{kAny}, kFrames, 1, address(chunk.capability)});
        if (!frame.ok()) return false;
        chunk.frame = frame.value();
        chunk.held = kFrames;
        ++count_;
        return true;
    }
    u64 held() const { return count_ == 0 ? 0 : (count_ - 1) * kFrames + chunk_[count_ - 1].held; }

    /// Bind the page, and with it the whole of its chunk.
    bool bind(VirtAddr address_touched) {
        const u64 offset = page_of(address_touched) - first_;
        if (offset >= held()) return false;
        const Chunk& chunk = chunk_[offset / kFrames];
        const PageSpan span = PageSpan::make(first_ + offset / kFrames * kFrames, chunk.held, Right::read | Right::write);
        return enter_kernel<Bind>({address(chunk.capability), chunk.frame, span, {}, {}}).error == Error::ok;
    }

    u64 give(u64 count) override {
        u64 given = 0;
        while (count_ != 0 && given < count) {
            Chunk& chunk = chunk_[count_ - 1];
            const u64 now = chunk.held < count - given ? chunk.held : count - given;
            if (!call<FrameRelease>({address(chunk.capability), chunk.frame + (chunk.held - now), now}).ok()) break;
            chunk.held -= now;
            count_ -= chunk.held == 0;
            given += now;
        }
        return given;
    }

    /// The first word of a page; nullptr: it is held no more. What becomes of it meanwhile does not matter.
    volatile u64* word(u64 page) { return page < held() ? static_cast<volatile u64*>(memory_of(first_ + page)) : nullptr; }

  private:
    struct Chunk {
        Capability capability;
        FrameNumber frame;
        u64 held;
    };
    PageNumber first_;
    Chunk chunk_[kMost]{};
    u64 count_ = 0;
};

Chunks chunks;

}  // namespace

int libos_main() {
    const u64 microsecond = information().tsc_hz / 1'000'000, begin = ticks();
    const u64 wants = argument("wants", 256), uses = argument("uses", 0);
    const u64 idle_from = begin + argument("idle_from", 0) * microsecond, until = begin + argument("until", 100'000) * microsecond;
    chunks.open();
    set_fault_policy([](VirtAddr address_touched, u64) { return chunks.bind(address_touched); });
    if (!add_giver(RevocationKind::frames, chunks) || !answer_revocation().ok()) return 1;

    u64 turns = 0;
    while (ticks() < until) {
        if (chunks.held() < wants) static_cast<void>(chunks.grow());
        const u64 used = ticks() < idle_from || uses == 0 || uses > chunks.held() ? chunks.held() : uses;
        for (u64 page = 0; page < used; ++page) {
            NoPreemption guard;
            if (volatile u64* word = chunks.word(page)) *word = *word + 1;
        }
        // A turn a slice is enough to be seen to use them.
        static_cast<void>(sleep_until_any({}, ticks() + information().quantum));
        ++turns;
    }
    const RevocationCounts& counts = revocation_counts();
    const bool right = counts.owed == 0 && accounts().repossessed == 0;
    print(right ? "" : "WRONG: ", "holds ", chunks.held(), " frames after ", turns, " turns, gave ", counts.given, " back\n");
    const Outcome sent = record("program", "tenant", "held", chunks.held(), "given", counts.given, "owed", counts.owed, "turns", turns);
    return right && sent.ok() ? 0 : 1;
}
