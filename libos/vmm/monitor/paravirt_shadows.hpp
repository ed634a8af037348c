// What a paravirtual guest's translations are bound in: one context for its kernel, which sees memory where it lies, and a
// context for each of the address spaces that it used last. A switch to one of those costs nothing: its bindings stand.
//
// Filled on page faults from what libos/vmm/paravirt/guest.hpp finds; emptied as its effects say. Pages that changed are
// unbound together before the guest runs again: a guest changes its entries in runs.
#pragma once

#include <array>

#include "libos/vmm/devices/net_port.hpp"
#include "libos/vmm/monitor/paging.hpp"
#include "libos/vmm/paravirt/guest.hpp"

namespace tessera::vmm {

/// A context, and which of its pages may be bound, so that it can be emptied.
///
/// Its S-TLB is direct-mapped: two pages that displace each other, and are needed by one instruction, would fault for
/// ever. So a page that would displace one of those needed last is bound as a guaranteed mapping; the last few of those stay.
class ShadowContext {
  public:
    /// Errors: of GuestContext::open.
    Outcome open(u64 pages);
    Outcome close() { return context_.close(); }
    VirtAddr capability() const { return context_.capability(); }

    /// Bind what a fault was about, and perhaps pages behind it; `code` is the page that the guest executes.  Errors: of bind.
    Outcome bind(const Capability& frames, FrameNumber first, PageSpan span, PageNumber code);
    void unbind(PageNumber first, u64 count);
    /// Nothing is bound any more.  Cost: a call for each run of pages that was bound.
    void clear();

  private:
    struct Run {
        u64 first, count;
    };
    static constexpr u64 kMostRuns = 128, kRecent = 4, kPins = 4;

    void remember(u64 first, u64 count);
    bool displaces(u64 page, u64 code) const;
    void make_room_for_pin(u64 page);

    GuestContext context_;
    std::array<Run, kMostRuns> runs_{};
    u64 count_ = 0;
    u64 entries_ = 1;                   ///< Of the S-TLB.
    std::array<u64, kRecent> recent_{};  ///< Pages, by the order of their faults.
    std::array<u64, kPins> pins_{};      ///< Pages; 0: none.
    u64 faults_ = 0, pinned_ = 0;
};

class ParavirtShadows final : public Paging, public LentView {
  public:
    /// `lent`: pages behind the memory, which the kernel sees; nullptr: none.
    ParavirtShadows(Memory& memory, paravirt::Guest& guest, LentPages* lent) : memory_(memory), guest_(guest), lent_(lent) {}

    Outcome open() override;
    Outcome close() override;
    Outcome attach(GuestCpu& cpu) override;
    /// Where the virtual CPU runs next: in the kernel, or in a program under a root, which may cost the one that was not
    /// used for longest. What changed since it ran last is followed first.  Hot.
    u64 place(GuestCpu&) override {
        if (changed_.count != 0) follow_changed();
        return guest_.user_mode() ? place_of(guest_.root()) : 0;
    }
    /// Page faults that are the monitor's; of the others, info[0] is as the guest is to see it.
    Handled on_exit(GuestCpu& cpu, GuestExit exit) override;
    void forget(u64 guest_frame, u64 count) override;

    void table_made(u64 frame) { forget_in_kernel(frame, 1); }
    void lent_page_changed(u64 page) override { forget_in_kernel(memory_.frames() + page, 1); }
    void page_changed(u64 root, PageNumber page);
    void tables_changed();
    void root_gone(u64 root);

    u64 fills() const { return fills_; }
    u64 evictions() const { return evictions_; }

  private:
    static constexpr u64 kSpaces = 12, kKernelPages = 8192, kSpacePages = 1024, kAtOnce = 16;
    struct Space {
        ShadowContext context;
        u64 root = 0;  // 0: nobody's
        u64 used = 0;
    };
    struct Changed {
        u64 root, first, count;
    };

    Space* find(u64 root);
    u64 place_of(u64 root);
    bool map(u64 place, PageNumber page, PageNumber code, const paravirt::Translation& translation, bool write);
    void follow_changed();
    bool map_lent(PageNumber page, PageNumber code, bool write);
    void forget_in_kernel(u64 frame, u64 count) { kernel_.unbind(PageNumber{frame}, count); }

    Memory& memory_;
    paravirt::Guest& guest_;
    LentPages* const lent_;
    ShadowContext kernel_;
    std::array<Space, kSpaces> spaces_;
    Changed changed_{};
    u64 uses_ = 0, fills_ = 0, evictions_ = 0, last_ = 0;
};

}  // namespace tessera::vmm
