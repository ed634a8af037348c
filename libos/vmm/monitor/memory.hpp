// A guest's physical memory: which of the monitor's frames stands behind which guest frame, and who has it bound.
//
//   guest frame --> GuestFrame: state, frame, run of the supply
//                      |
//                      +--> the monitor's window, where devices and loaders reach it     (bound on a fault)
//                      +--> views: the nested context, or the shadows of a shadow pager   (bound on an exit)
//
// It fills itself on demand, 2 MiB at a time while the kernel has such runs, so that one binding does for 512 frames. A
// policy (balloon, sharing, paging) takes frames away and gives others; then all are bound as single frames. Bindings
// are a cache everywhere: whoever misses one asks `back` what stands behind the frame.
#pragma once

#include <optional>

#include "libos/vmm/guest_memory.hpp"
#include "libos/vmm/monitor/frame_supply.hpp"
#include "libos/vmm/monitor/windows.hpp"

namespace tessera::vmm {

enum class FrameUse : u64 {
    absent,      ///< Nothing yet: zeros, when it is touched.
    present,     ///< A frame of the guest's own.
    shared,      ///< Somebody else's frame, read-only; a write makes a copy.
    paged_out,   ///< The policy has the bytes; `number` is what it calls them.
    ballooned,   ///< The guest gave it back. Touched all the same, it is as absent.
};

/// What stands behind one guest frame.
class GuestFrame {
  public:
    constexpr GuestFrame() = default;
    static constexpr GuestFrame make(FrameUse use, u64 number, u64 run = 0) {
        return GuestFrame{static_cast<u64>(use) | run << 8 | number << 24};
    }
    constexpr FrameUse use() const { return static_cast<FrameUse>(bits_ & 7); }
    constexpr bool is_backed() const { return use() == FrameUse::present || use() == FrameUse::shared; }
    constexpr bool is_protected() const { return bits_ & kProtected; }  ///< A write is the policy's to hear of first.
    constexpr bool is_large() const { return bits_ & kLarge; }          ///< One of 512 in a row, bound together.
    constexpr bool is_writable() const { return use() == FrameUse::present && !is_protected(); }
    constexpr u64 number() const { return bits_ >> 24; }
    constexpr SuppliedFrame frame() const { return {FrameNumber{number()}, bits_ >> 8 & 0xffff}; }
    constexpr GuestFrame with_protection(bool on) const { return GuestFrame{(bits_ & ~kProtected) | (on ? kProtected : 0)}; }
    constexpr GuestFrame with_large(bool on) const { return GuestFrame{(bits_ & ~kLarge) | (on ? kLarge : 0)}; }

  private:
    static constexpr u64 kProtected = 8, kLarge = 16;
    constexpr explicit GuestFrame(u64 bits) : bits_(bits) {}
    u64 bits_ = 0;
};

/// Frames to be bound for guest frames `guest_frame` to `guest_frame + count - 1`: one run of both.
struct Backing {
    const Capability* capability;
    FrameNumber frame;
    u64 guest_frame;
    u64 count;
    bool writable;
    bool large;  ///< 512 of them, aligned: as one binding of 2 MiB.

    /// The span for a Bind at those pages of a context that has guest frames as its pages, from page `base` on.
    PageSpan span(PageNumber base, Rights rights, bool dirty) const;
};

/// Unbind guest frames where `base` is the page of the first one; of whole chunks of 512 the large bindings too.
void unbind_frames(PageNumber base, u64 guest_frame, u64 count, VirtAddr context);

/// Who has guest frames bound, beside the window.
class MemoryView {
  public:
    /// Drop every binding of these; they are about to mean something else, or to be read-only.
    virtual void forget(u64 guest_frame, u64 count) = 0;

  protected:
    ~MemoryView() = default;
};

/// Who decides what becomes of guest frames (balloon, sharing, paging). Asked in the middle of an access.
class MemoryPolicy {
  public:
    /// `guest_frame` is paged out and needed: `give` it a frame. `by_guest`: by an instruction of the guest's; else a device,
    /// or the monitor, looks at it. False: it cannot be had, and the guest ends.
    virtual bool bring_back(u64 guest_frame, bool by_guest) = 0;
    /// The supply has no frame: `take` some away. False: there is nothing to take.
    virtual bool make_room() = 0;
    /// A protected frame is about to be written.
    virtual void on_write(u64 guest_frame) = 0;
    /// A shared frame was written, so the guest has a copy now: one guest frame less uses it.
    virtual void on_copy(u64 guest_frame, SuppliedFrame was) = 0;

  protected:
    ~MemoryPolicy() = default;
};

class Memory final : public GuestMemory, private Window {
  public:
    /// So much monitor memory does a map of `frames` need.
    static constexpr u64 map_pages(u64 frames) { return (frames * sizeof(GuestFrame) + kPageSize - 1) / kPageSize; }

    /// `map`: an entry for each guest frame, zero, where faults are resolved.
    Memory(FrameSupply& supply, std::span<GuestFrame> map);

    std::byte* page(u64 guest_frame, bool write) override;

    /// What to bind so that the guest can read or write that frame; it is filled, copied or brought back first where that
    /// is needed. Nothing: no such frame, or no memory for it.
    std::optional<Backing> back(u64 guest_frame, bool write, bool by_guest = true);

    /// Give every guest frame its memory now: who runs a virtual CPU in an environment of its own has no frames to give.
    /// False: there is not enough.
    bool fill_all();

    void add_view(MemoryView& view);
    void set_policy(MemoryPolicy* policy) { policy_ = policy; }

    // For policies. Each drops the bindings that would be wrong behind it, in every context, before it answers.

    GuestFrame entry(u64 guest_frame) const { return map_[guest_frame]; }
    /// Take the frame away; it is the caller's now. `use`: absent, paged_out (`number` says where) or ballooned.
    /// Nothing: there was none of the guest's own.
    std::optional<SuppliedFrame> take(u64 guest_frame, FrameUse use, u64 number = 0);
    /// Put a frame there, which becomes the guest's own; what was there before must have been taken.
    void give(u64 guest_frame, SuppliedFrame frame);
    /// Put somebody else's frame there, read-only. A frame of the guest's own goes back to the supply.
    void share(u64 guest_frame, SuppliedFrame frame);
    /// What stands there is not the guest's own, and goes; `use` is absent or ballooned.
    void vacate(u64 guest_frame, FrameUse use);
    /// The next write goes to the policy first.
    void protect(u64 guest_frame);
    /// The window was looked through at this frame, and nobody is to take that for use (FrameSample). At the end of each run
    /// of frames that are bound together, so that it costs little.
    void hide(u64 guest_frame);
    /// From now on bind single frames only. Then each is seen to be used, or not, by itself; and none is displaced in a view
    /// that has an entry for each, as large bindings displace small ones, for ever where an instruction needs both.
    void use_single_frames();
    /// Everything back to the supply.
    void close();

    FrameSupply& supply() { return supply_; }
    /// A frame from it; the policy is asked to make room.  Errors: of FrameSupply::take.
    Result<SuppliedFrame> take_frame();
    u64 present() const { return present_; }  ///< Frames of the guest's own.
    u64 copies() const { return copies_; }    ///< Writes to shared frames.
    /// A frame that was borrowed is gone, and the guest's bytes with it: it must not go on.
    bool is_lost() const { return lost_; }
    /// The guest frame that a frame of the guest's own stands behind.  Cost: looks through the map.
    std::optional<u64> guest_frame_of(FrameNumber frame) const;

  private:
    static constexpr u64 kMaxViews = 4;

    bool bind(u64 index, u64 access) override;
    bool fill(u64 guest_frame);
    bool fill_large(u64 guest_frame);
    bool copy(u64 guest_frame);
    bool has_lost(u64 guest_frame);
    bool stand_in(u64 run, u64 index, u64 access);
    Backing backing_of(u64 guest_frame) const;
    void forget(u64 guest_frame, u64 count);

    FrameSupply& supply_;
    std::span<GuestFrame> map_;
    MemoryPolicy* policy_ = nullptr;
    MemoryView* views_[kMaxViews]{};
    SuppliedFrame scratch_{};       // behind the window's last page
    bool small_only_;               // no large binding in the window
    bool large_over_ = false;       // the kernel has no 2 MiB run any more
    bool single_ = false;           // use_single_frames
    u64 present_ = 0, copies_ = 0;
    volatile bool lost_ = false;    // set in a handler
};

}  // namespace tessera::vmm
