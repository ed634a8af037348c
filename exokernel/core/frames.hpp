// Frames: who owns which, and the grant number that a capability for it must carry.
//
// The table is the one that libOSes read (abi/information.hpp). Taking and giving back are O(1) a frame and
// touch nothing but the table and a bitmap: a frame is zeroed when it is first bound, not here, so a large
// range costs little until it is used. Nothing in this file knows about the machine; it runs in the unit
// tests as it is.
#pragma once

#include "exokernel/abi/information.hpp"
#include "exokernel/abi/result.hpp"
#include "exokernel/abi/revocation.hpp"
#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

/// A run of frames. `make` refuses one that wraps.
struct FrameRange {
    FrameNumber first;
    u64 count{};
    constexpr bool contains(FrameRange other) const {
        return other.first >= first && other.count <= count && other.first - first <= count - other.count;
    }
};

namespace frame_flag {
inline constexpr u8 kDirty = 1;     ///< Holds somebody's old bytes: zero it before it is bound or used.
inline constexpr u8 kSaveArea = 2;  ///< An environment's save area or repossession vector: cannot be given back while that lives.
inline constexpr u8 kReserve = 8;   ///< In its owner's reserve: never repossessed.
}  // namespace frame_flag

class FrameTable {
  public:
    /// The table and the bitmap (one bit a frame, 1 = free) are memory that the caller provides, zeroed.
    void initialise(FrameInfo* table, u64* free_bits, u64 count);
    /// Frames that exist and are nobody's: made free. Boot only.
    void add_free(FrameRange range);
    /// Frames that are the kernel's for good. Boot only.
    void reserve(FrameRange range);

    FrameInfo& info(FrameNumber frame) { return table_[frame.value]; }
    FrameInfo* table() { return table_; }
    u64 count() const { return count_; }
    u64 free_count() const { return free_; }
    u64 usable() const { return usable_; }
    bool exists(FrameRange range) const {
        return range.first.value < count_ && range.count <= count_ - range.first.value;
    }

    /// A free run of `count` frames at a multiple of `alignment`, or the very one from `first`.
    /// Errors: exhausted, conflict, out_of_range. Takes nothing.
    Result<FrameRange> check_free(FrameNumber first, u64 count, u64 alignment);
    /// Make a checked run `owner`'s under a fresh grant number, which is returned.
    u64 commit_take(FrameRange range, EnvId owner, FrameState state);
    /// Every capability for these frames is dead.
    void commit_new_grants(FrameRange range);
    /// Give a run back. The caller has broken every binding of it. Each gets a fresh grant number: dead capabilities.
    void commit_release(FrameRange range);
    /// Change how owned frames are used (owned <-> charged): a fresh grant number, so old capabilities are dead.
    u64 commit_recast(FrameRange range, FrameState state, u8 flags, u16 context);

    /// Say what becomes of an owned frame's bytes if it is repossessed; what was said before is forgotten. `copy` is said
    /// on both sides: in the frame and in its destination.
    void commit_seed(FrameNumber frame, AutosaveKind kind, FrameNumber destination = {});
    /// What was said of a frame, or of its bytes as another's destination, is forgotten on both sides. Also done whenever a
    /// frame changes hands or use.
    void commit_unseed(FrameNumber frame);

    /// A number never given out before.
    u64 fresh_grant() { return __atomic_add_fetch(&last_grant_, 1, __ATOMIC_RELAXED); }

  private:
    void set_free(FrameRange range, bool free);

    FrameInfo* table_{};
    u64* free_bits_{};
    u64 count_{};
    u64 free_{};
    u64 usable_{};
    u64 next_{};  ///< Where the search for any run begins: behind the last one taken.
    u64 last_grant_{};
};

}  // namespace tessera::kernel
