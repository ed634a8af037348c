// Pages where a port has the frames that the switch lent it, one each. Whoever lent them can take them back at any moment,
// and then a page of one's own stands in, as with shared memory: a touch is never the end of whoever touches.
#pragma once

#include "libos/core/call.hpp"
#include "libos/net/exchange_ring.hpp"

namespace tessera::libos {

class LentFrames {
  public:
    static constexpr u64 kPages = kSendFrames + kReceiveFrames;

    /// Addresses, and the frame that stands in.  Errors: of frame_alloc.
    Outcome open();
    /// Bind a frame at page `place`, in place of what was there.  Errors: of bind.
    Outcome put(u64 place, const Capability& capability, Rights rights);
    /// Page `place`'s memory: kPageSize bytes.
    std::byte* memory(u64 place) const { return reinterpret_cast<std::byte*>(address_of(first_ + place).value); }
    void close();

    /// Bind what a fault in some port's frames needs. False: the address is in none, or is only to be read.
    static bool resolve(VirtAddr address, u64 access);

  private:
    bool bind_again(u64 place, u64 access);

    PageNumber first_;
    Capability capability_[kPages]{};
    Rights rights_[kPages]{};
    LentFrames* next_ = nullptr;
};

}  // namespace tessera::libos
