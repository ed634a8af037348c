// The pages that the paths are measured on: a run of frames behind a run of pages, with the TLB-entry capability
// of the whole; and capabilities that the kernel has never been shown.
#pragma once

#include "bench/system/sample.hpp"

namespace tessera::bench {

inline constexpr Rights kReadWrite = Right::read | Right::write;
inline constexpr u64 kArenaPages = 128;
// Behind everything that libos reserves, and in the middle of an S-TLB of 1024 entries: clear of the image's
// pages, which begin at a multiple of 1024.
inline constexpr PageNumber kArena{0x10'0200};
inline constexpr PageNumber kStrangers{0x20'0300};  ///< Where capabilities never shown before bind to.
inline constexpr u64 kMostStrangers = 4 * kRounds;

struct Arena {
    Capability frames;     ///< All rights on the run.
    Capability tlb_entry;  ///< For the whole run, readable and writable.
    FrameNumber first;

    VirtAddr at(u64 page) const { return address_of(kArena + page); }
    PageSpan span(u64 count, Rights rights = kReadWrite) const { return PageSpan::make(kArena, count, rights); }

    void open() {
        first = sure("arena", call<FrameAlloc>({FrameNumber{kAny}, kArenaPages, 1, address(frames)}));
        sure("arena", call<Bind>({address(frames), first, span(kArenaPages), {}, address(tlb_entry)}));
        for (u64 page = 0; page < kArenaPages; ++page) store(at(page));
    }
    /// Bind the first `count` pages (again).
    void bind(u64 count) const { sure("arena", call<Rebind>({address(tlb_entry), span(count), {}})); }
    void unbind(u64 count) const { sure("arena", call<Unbind>({span(count), {}})); }
    void protect(u64 count, Rights rights) const { sure("arena", call<Protect>({span(count, rights), {}})); }
};
inline Arena arena;

/// Kept where it does not cross a page, which the kernel reads more slowly and does not remember.
struct alignas(256) Kept {
    Capability capability;
};

/// TLB-entry capabilities, each for a page of its own, that were made but never presented.
class Strangers {
  public:
    struct Stranger {
        VirtAddr capability;
        PageNumber page;
    };
    Stranger next() {
        if (used_ == kMostStrangers) give_up("strangers", "no more of them");
        const PageNumber page = kStrangers + used_;
        Capability& made = made_[used_++].capability;
        const PageSpan span = PageSpan::make(page, 1, kReadWrite);
        sure("strangers", call<Bind>({address(arena.frames), arena.first + used_ % kArenaPages, span, {}, address(made)}));
        sure("strangers", call<Unbind>({span, {}}));
        return {address(made), page};
    }

  private:
    u64 used_ = 0;
    std::array<Kept, kMostStrangers> made_;
};
inline Strangers strangers;

inline constexpr PageNumber kForgotten{0x30'03a0};  ///< Clear of the others in an S-TLB of 1024 entries.

/// Frames of our own, each under a capability that the kernel does not know: it has forgotten it. What it remembers
/// of an environment's capabilities is direct-mapped by tag, so presenting another with the same place is enough.
/// (One never presented is not to be had otherwise: a frame is zeroed when it is first bound, which takes longer.)
class Forgotten {
  public:
    struct Own {
        VirtAddr capability;
        FrameNumber frame;
        PageNumber page;
    };
    void open() {
        Capability made;
        for (u64 places = 0; places < kPlaces;) {
            take(made);
            Capability& decoy = decoys_[made.tag[0] % kPlaces].capability;
            places += decoy.kind == ResourceKind::none;
            decoy = made;
        }
    }
    Own next() {
        if (used_ == kRounds) give_up("forgotten", "no more of them");
        const PageNumber page = kForgotten + used_;
        Capability& own = own_[used_++].capability;
        const FrameNumber frame = take(own);
        const PageSpan span = PageSpan::make(page, 1, kReadWrite);
        sure("forgotten", call<Bind>({address(own), frame, span, {}, {}}));
        store(address_of(page));
        sure("forgotten", call<Unbind>({span, {}}));
        sure("forgotten", call<CapabilityCheck>({address(decoys_[own.tag[0] % kPlaces].capability)}));
        return {address(own), frame, page};
    }

  private:
    static constexpr u64 kPlaces = 64;
    static FrameNumber take(Capability& capability) {
        return sure("forgotten", call<FrameAlloc>({FrameNumber{kAny}, 1, 1, address(capability)}));
    }
    u64 used_ = 0;
    std::array<Kept, kPlaces> decoys_;
    std::array<Kept, kRounds> own_;
};
inline Forgotten forgotten;

}  // namespace tessera::bench
