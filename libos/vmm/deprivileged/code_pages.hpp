// Which pages the translations were made from: by guest-virtual page, the frame that stood there, and in which roots that is known
// to be so.
//
// A translation is found by its guest address alone, in whatever root the guest's kernel runs. So before it runs in one,
// every page that translations were made from has to be the same frame there. This stands between the shadow and its contexts: what
// the shadow drops because tables have changed is no longer known, and has to be looked at again (TranslatedCode::settle).
// As long as nothing is dropped that costs one comparison.
#pragma once

#include <array>
#include <optional>

#include "libos/vmm/shadow/hardware.hpp"

namespace tessera::vmm {

class CodePages final : public ShadowHardware {
  public:
    static constexpr u32 kPlaces = 1024, kMost = kPlaces / 2;

    explicit CodePages(ShadowHardware& next) : next_(next) {}

    /// The frame at `page` in `root`, if that is known.  Hot.
    std::optional<u64> find(u32 root, PageNumber page) const {
        const Page& at = pages_[place_of(page)];
        if (at.page == page.value && at.used && at.frame != kNone && (at.roots >> root & 1)) [[likely]]
            return at.frame;
        return {};
    }

    enum class Noted : u8 {
        good,
        changed,  ///< Something was translated from another frame there, and must not be used any more.
        full,     ///< There is no room: forget everything.
    };
    /// Code was taken from `page` of `root`, where `frame` stands.
    Noted note(u32 root, PageNumber page, u64 frame);

    /// Is every page known in `root`?  Hot.
    bool is_settled(u32 root) const { return count_ == 0 || (settled_ >> root & 1); }
    /// Ask `is_same(page, frame)` of each page that is not known in `root`; where it says no, `gone(page)`.
    template <class IsSame, class Gone>
    void settle(u32 root, IsSame&& is_same, Gone&& gone);

    /// `frame` is about to be written: `gone(page)` for each page where it stood. Returns whether there was one.
    template <class Gone>
    bool forget_code(u64 frame, Gone&& gone);
    void clear();

    // ---- ShadowHardware: passed on
    void forget(u32 root, PageNumber page, u64 count) override;
    void forget_root(u32 root) override;
    void forget_frame(u64 guest_frame) override { next_.forget_frame(guest_frame); }  // of writable bindings only

  private:
    static constexpr u64 kNone = ~u64{0};
    struct Page {
        u64 page = 0, frame = kNone, roots = 0;
        bool used = false;  ///< As a place; with no frame nothing is translated from it.
    };

    /// Where it is, or the free place where it would be. There always is one.
    u32 place_of(PageNumber page) const {
        u32 at = static_cast<u32>(page.value * 0x9e37'79b9'7f4a'7c15 >> 54) % kPlaces;
        while (pages_[at].used && pages_[at].page != page.value) at = (at + 1) % kPlaces;
        return at;
    }

    ShadowHardware& next_;
    std::array<Page, kPlaces> pages_{};
    u32 count_ = 0;
    u64 lowest_ = kNone, highest_ = 0;
    u64 settled_ = 0;  // a bit a root
};

template <class IsSame, class Gone>
void CodePages::settle(u32 root, IsSame&& is_same, Gone&& gone) {
    // Looking may make the shadow drop what was looked at before: then once more. It ends, as what was dropped is brought up to date by it.
    for (u32 rounds = 0; rounds < 4 && !is_settled(root); ++rounds) {
        settled_ |= u64{1} << root;
        for (Page& each : pages_) {
            if (!each.used || each.frame == kNone || (each.roots >> root & 1)) continue;
            each.roots |= u64{1} << root;
            if (is_same(PageNumber{each.page}, each.frame)) continue;
            gone(PageNumber{each.page});
            each.frame = kNone;
        }
    }
    if (is_settled(root)) return;
    for (const Page& each : pages_)
        if (each.used && each.frame != kNone) gone(PageNumber{each.page});
    clear();
}

template <class Gone>
bool CodePages::forget_code(u64 frame, Gone&& gone) {
    bool any = false;
    for (Page& each : pages_) {
        if (!each.used || each.frame != frame) continue;
        gone(PageNumber{each.page});
        each.frame = kNone;
        any = true;
    }
    return any;
}

}  // namespace tessera::vmm
