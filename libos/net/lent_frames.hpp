// Pages where a port has the frames that the switch lent it, one each. Whoever lent them can take them back at any moment,
// and then a page of one's own stands in, as with shared memory: a touch is never the end of whoever touches.
//
// There are more pages than a port can hold frames, and a frame that went on stays where it was: if it comes again with the
// same capability, which says that it was not renewed meanwhile (roads.hpp), its binding stands.
#pragma once

#include "libos/core/call.hpp"
#include "libos/net/exchange_ring.hpp"

namespace tessera::libos {

class LentFrames {
  public:
    static constexpr u64 kPages = 128;
    static_assert(kPages > kSendFrames + kReceiveFrames);

    /// Addresses, and the frame that stands in.  Errors: of frame_alloc.
    Outcome open();
    /// The page where a frame is, from now on until it is released: where it was, or in place of another. `now`: the caller is
    /// about to touch it; else it is bound when that happens.  Errors: of bind; exhausted: all are held.
    Result<u64> hold(const Capability& capability, Rights rights, bool now = true);
    /// The frame goes on. It stays bound as long as its page is not needed.
    void release(u64 page) { held_[page] = false; }
    /// A page's memory: kPageSize bytes.
    std::byte* memory(u64 page) const { return reinterpret_cast<std::byte*>(address_of(first_ + page).value); }
    void close();

    const Capability& capability(u64 page) const { return capability_[page]; }
    Rights rights(u64 page) const { return rights_[page]; }
    bool is_held(u64 page) const { return held_[page]; }
    /// How many frames have been there: what somebody bound of a page is of the frame that is there if this has not changed.
    u64 changes(u64 page) const { return changes_[page]; }
    u64 found_bound() const { return found_; }  ///< Frames that were where they had been.

    /// Bind what a fault in some port's frames needs. False: the address is in none, or is only to be read.
    static bool resolve(VirtAddr address, u64 access);

  private:
    static constexpr u64 kHints = 256;

    bool bind_again(u64 page, u64 access);

    PageNumber first_;
    Capability capability_[kPages]{};
    Rights rights_[kPages]{};
    bool held_[kPages]{};
    u64 changes_[kPages]{};
    u8 hints_[kHints]{};  ///< Where a frame of that number, modulo kHints, was put last.
    u64 next_ = 0, found_ = 0;
    LentFrames* next_of_all_ = nullptr;
};

}  // namespace tessera::libos
