// A paravirtual guest's page tables: its own frames, in x86's format, which only `update` writes, and only what is right.
//
// Every frame is either ordinary, and then writable through so and so many entries, or a table of one level, and then
// through none; a frame changes sides when nothing holds it on its old one (Barham et al., SOSP 2003, 3.3.3: types and
// reference counts). What the tables say is therefore as good as a binding: a shadow that was filled from them stays
// right until `TableEffects` says otherwise, without a fault for each write.
//
// Still, nothing that protects the monitor rests on this: who walks the tables takes a frame from them as a number to
// be checked, and the shadow is made of bindings to the guest's own frames.
#pragma once

#include <span>

#include "libos/vmm/guest_memory.hpp"
#include "libos/vmm/paravirt/interface.hpp"

namespace tessera::vmm::paravirt {

/// What shadows have to follow. Frames are guest-physical; a root is named by its frame.
class TableEffects {
  public:
    /// It became a table: no shadow maps it writable any more; or it is ordinary again.
    virtual void table_made(u64 frame) = 0;
    virtual void table_gone(u64 frame) = 0;
    /// What is known of a page under a root is forgotten; `walk` says what is there now, perhaps for the first time.
    virtual void page_changed(u64 root, u64 page) = 0;
    /// The same of all pages under all roots.
    virtual void tables_changed() = 0;
    /// The root is none any more.
    virtual void root_gone(u64 root) = 0;

  protected:
    ~TableEffects() = default;
};

class PageTables;

/// The guest's memory for everybody but the tables themselves: frames that are tables cannot be written.
class OrdinaryMemory final : public GuestMemory {
  public:
    OrdinaryMemory(GuestMemory& memory, const PageTables& tables) : GuestMemory(memory.frames()), memory_(memory), tables_(tables) {}
    std::byte* page(u64 guest_frame, bool write) override;

  private:
    GuestMemory& memory_;
    const PageTables& tables_;
};

/// What the tables say of an address.
struct Translation {
    u64 frame;
    bool writable, executable, user;
};

class PageTables {
  public:
    /// What is known of one frame; all zero at first. To a table lead `uses` entries (and one for a root itself), of
    /// which the one at `parent` (its address / 8) is the only one, or nobody knows; an ordinary frame has so many writable mappings.
    struct FrameUse {
        u32 level : 3;
        u32 uses : 29;
        u32 parent;
    };
    static constexpr u64 kMostFrames = u64{1} << 23;  ///< 32 GiB: what `parent` has bits for.

    /// `uses` has one word a frame of the memory.
    PageTables(GuestMemory& memory, TableEffects& effects, std::span<FrameUse> uses)
        : memory_(memory), effects_(effects), uses_(uses) {}

    /// Cost: a look at all of the frame.
    bool create_root(u64 frame);
    /// Cost: 512 entries a table that nobody else uses.
    bool destroy_root(u64 frame);
    bool is_root(u64 frame) const { return frame < uses_.size() && uses_[frame].level == kLevels; }
    bool is_table(u64 frame) const { return frame < uses_.size() && uses_[frame].level != 0; }

    /// Check and write one entry. False: refused, nothing changed.
    bool update(const Update& update);

    /// What a program's address translates to under a root. False: nothing is there.
    bool walk(u64 root, u64 address, Translation& translation);

  private:
    static constexpr u32 kLevels = 4;

    static constexpr u32 kUnknown = ~u32{0};

    u64* words(u64 frame, bool write);
    bool is_empty(u64 frame);
    bool take(u32 level, u64 value, u64 entry);
    void release(u32 level, u64 value);
    bool make_table(u64 frame, u32 level, u32 parent);
    void tell_change(u64 entry, bool was_there);

    GuestMemory& memory_;
    TableEffects& effects_;
    std::span<FrameUse> uses_;
};

}  // namespace tessera::vmm::paravirt
