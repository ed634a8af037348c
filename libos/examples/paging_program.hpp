// What the examples on revocation have in common: an address space whose table is never taken, contents that can be
// computed, and work on pages whose result shows whether every byte was right.
#pragma once

#include "libos/core/libos.hpp"
#include "libos/core/pages.hpp"
#include "libos/paging/address_space.hpp"
#include "libos/paging/paged_region.hpp"
#include "libos/revocation/givers.hpp"
#include "libos/revocation/revocation.hpp"
#include "libos/transfer/wait.hpp"

namespace tessera::libos {

inline constexpr u64 kMostPages = 1024, kWordsInPage = kPageSize / sizeof(u64);

using Space = AddressSpace<HierarchicalTable>;

/// The program's address space, installed; nullptr and a message where there is no room for its table.
inline Space* open_space() {
    constexpr u64 kNodes = 10;
    static Capability frames;
    static u16 used[kNodes];
    const auto nodes = map_guaranteed(kNodes, frames);
    if (!nodes.ok()) {
        print("no room for the page table: ", name_of(nodes.error()), "\n");
        return nullptr;
    }
    static_cast<void>(call<Reserve>({address(frames), FrameNumber{frames.first}, kNodes, 1}));
    static HierarchicalTable table({static_cast<HierarchicalTable::Node*>(memory_of(nodes.value())), kNodes}, used);
    static Space space(table);
    space.install();
    return &space;
}

/// The region can be taken from, by whoever asks (`answers`) or by force alone; `pool` holds nothing but its pages.
inline Outcome give_region(RegionGiver& pages, PoolGiver& unused, bool answers) {
    TRY(pages.open());
    if (!add_giver(RevocationKind::frames, unused) || !add_giver(RevocationKind::frames, pages)) return Error::exhausted;
    return answers ? answer_revocation() : expect_repossession();
}

/// Frames whose contents are not worth saving.
inline Outcome seed_discard(const FramePool& pool) {
    const AutosaveSpec discard{AutosaveKind::discard, 0, {}, {}};
    TRY(call<Autosave>({address(pool.capability()), pool.first(), pool.count(), address(discard)}));
    return Done{};
}

/// False, and a message, when it failed.
inline bool went_well(const char* what, const Outcome& outcome) {
    if (!outcome.ok()) print(what, ": ", name_of(outcome.error()), "\n");
    return outcome.ok();
}

/// What word `word` of page `page` holds after `turn` turns; turn 0 is how it begins, where pages are computed.
constexpr u64 rule(u64 page, u64 word, u64 turn) {
    return (page * kWordsInPage + word + 1) * 0x9e37'79b9'7f4a'7c15 ^ turn << 40;
}
inline void compute_page(u64 page, void* to) {
    for (u64 word = 0; word < kWordsInPage; ++word) static_cast<u64*>(to)[word] = rule(page, word, 0);
}

/// Pages at random, the same in every run.
class PageDice {
  public:
    u64 next(u64 pages) {
        state_ = state_ * 6364136223846793005 + 1442695040888963407;
        return (state_ >> 33) % pages;
    }

  private:
    u64 state_ = 42;
};

/// Steps of a program that works until it has seen what it waits for, and then for some more: what happens must not depend
/// on how fast the machine is. It waits for ten minutes at most, and leaves the CPU to others most of that time.
class Steps {
  public:
    /// `more`: steps that it makes behind what it waits for.
    explicit Steps(u64 more) : left_(more) {}

    bool go_on(bool seen) {
        seen_ |= seen || ticks() > give_up_;
        if (seen_) return ++made_, left_-- != 0;
        if (++made_ % kStepsASlice == 0) static_cast<void>(sleep_until_any({}, ticks() + information().tsc_hz / 1000));
        return true;
    }
    u64 number() const { return made_ - 1; }

  private:
    static constexpr u64 kStepsASlice = 64, kSeconds = 600;

    u64 left_, made_ = 0, give_up_ = ticks() + kSeconds * information().tsc_hz;
    bool seen_ = false;
};

/// Is anything asked of this environment that is not settled?
inline bool is_asked() {
    const auto* requests = reinterpret_cast<const volatile RevocationRequest*>(kInformation + kRequestTableOffset);
    for (u64 i = 0; i < kRequests; ++i)
        if (const RequestState state = requests[boot().self.index() * kRequests + i].state;
            state == RequestState::asked || state == RequestState::told)
            return true;
    return false;
}

/// Tells on the log how requests were answered, as they come.
class AnswerLog {
  public:
    void tell() {
        const RevocationCounts& now = revocation_counts();
        if (now.requests == told_.requests) return;
        print("was asked for ", now.given + now.owed - told_.given - told_.owed, " frames and gave ", now.given - told_.given, "\n");
        told_ = now;
    }

  private:
    RevocationCounts told_{};
};

}  // namespace tessera::libos
