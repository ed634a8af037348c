// Where pages go that have no frame: an interface of two functions, and two stores behind it.
#pragma once

#include <span>

#include "libos/paging/region.hpp"

namespace tessera::libos {

/// Pages by number, 0 to capacity. Called in the page-fault handler; a store may itself touch pages that
/// fault, as long as somebody else resolves them.
class BackingStore {
  public:
    /// Keep the page at `from` as number `slot`. False: there is no room for it.
    virtual bool write(u64 slot, const void* from) = 0;
    /// Bring number `slot` back. False: it was never written.
    virtual bool read(u64 slot, void* to) = 0;
    /// Have the kernel write `frame`, which `frames` is the capability of, as number `slot` should it be taken by force; kAny:
    /// nowhere any more. False: it will not be. A store that the kernel cannot write does nothing: then its dirty pages are lost with the frame.
    virtual bool seed(const Capability& frames, FrameNumber frame, u64 slot) {
        static_cast<void>(frames), static_cast<void>(frame), static_cast<void>(slot);
        return false;
    }

  protected:
    ~BackingStore() = default;
};

/// Pages as they are, in a run of pages that the program has bound somewhere (a FlatRegion).
class MemoryStore final : public BackingStore {
  public:
    MemoryStore(PageNumber first, u64 count) : first_(first), count_(count) {}

    bool write(u64 slot, const void* from) override;
    bool read(u64 slot, void* to) override;

  private:
    PageNumber first_;
    u64 count_;
};

/// Pages that can be computed: there is nothing to keep, and `read` is the computation. For a PagedRegion whose store
/// is `filled`, and which is only read: a page that was written has nowhere to go.
class ComputedStore final : public BackingStore {
  public:
    /// Write page `slot` to `to`. Runs in the page-fault handler, where it may use SSE.
    using Compute = void (*)(u64 slot, void* to);
    explicit ComputedStore(Compute compute) : compute_(compute) {}

    bool write(u64, const void*) override { return false; }
    bool read(u64 slot, void* to) override {
        compute_(slot, to);
        return true;
    }

  private:
    Compute compute_;
};

/// Pages squeezed: runs of one repeated word become two words, in units of 64 bytes. Zero pages take one unit,
/// pages of noise 65. For contents like tables, text and stacks, in memory that is a fraction of what it holds.
class SqueezingStore final : public BackingStore {
  public:
    static constexpr u64 kUnitWords = 7;  ///< Words of contents in a unit; one more links to the next.
    struct Unit {
        u64 next;  ///< 1 + number of the next unit; 0: the last.
        u64 word[kUnitWords];
    };

    /// `units`: the memory. `heads`: one for each slot. Both must outlive the store.
    SqueezingStore(std::span<Unit> units, std::span<u32> heads);

    bool write(u64 slot, const void* from) override;
    bool read(u64 slot, void* to) override;

    u64 free_units() const { return free_units_; }

  private:
    void release(u32& head);

    std::span<Unit> units_;
    std::span<u32> heads_;  // 1 + number of the first unit; 0: nothing stored
    u64 free_ = 0;          // likewise
    u64 free_units_ = 0;
};

}  // namespace tessera::libos
