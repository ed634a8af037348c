// Frames that one environment offers another to save its pages in: who has them posts a capability on the board,
// narrowed to the presenter and to reading and writing; who saves there finds it by name.
#pragma once

#include <string_view>

#include "libos/paging/backing_store.hpp"
#include "libos/paging/frame_pool.hpp"
#include "libos/paging/regions.hpp"

namespace tessera::libos {

/// Offer `count` frames to the environment called `saver`: posted under its name. `frames` gets the capability for them.
/// Errors: not_found, of frame_alloc and post.
Outcome offer_frames(std::string_view saver, u64 count, Capability& frames);

/// A store in offered frames, into which the kernel can save, too (Autosave). Page i is saved in the i-th of them.
class VaultStore final : public BackingStore {
  public:
    /// At the pages from `first` on, `count` of them.
    VaultStore(PageNumber first, u64 count) : pages_(first, count, Right::read | Right::write), memory_(first, count) {}

    /// Bind what was offered by the environment called `vault`, as `name`.  Waits until it is.  Errors: of bind; out_of_range:
    /// too few frames.
    Outcome open(std::string_view vault, std::string_view name);

    bool write(u64 slot, const void* from) override { return memory_.write(slot, from); }
    bool read(u64 slot, void* to) override { return memory_.read(slot, to); }
    bool seed(const Capability& frames, FrameNumber frame, u64 slot) override;

    /// To be added to the address space: bindings of the store come and go like others.
    FlatRegion& region() { return pages_; }
    const Capability& capability() const { return capability_; }

  private:
    FlatRegion pages_;
    MemoryStore memory_;
    Capability capability_;
};

}  // namespace tessera::libos
