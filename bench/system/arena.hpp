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
        Capability& made = made_[used_++];
        const PageSpan span = PageSpan::make(page, 1, kReadWrite);
        sure("strangers", call<Bind>({address(arena.frames), arena.first + used_ % kArenaPages, span, {}, address(made)}));
        sure("strangers", call<Unbind>({span, {}}));
        return {address(made), page};
    }

  private:
    u64 used_ = 0;
    std::array<Capability, kMostStrangers> made_;
};
inline Strangers strangers;

}  // namespace tessera::bench
