// Whoever can give units back. A program registers some for each kind of resource (revocation.hpp), in the order in which
// they are to be asked: what costs least to lose first.
#pragma once

#include "exokernel/abi/revocation.hpp"

namespace tessera::libos {

class Giver {
  public:
    /// Give up to `count` units of its choice back to the kernel. Returns how many.
    virtual u64 give(u64 count) = 0;
    /// Give back those among `count` units from `first` on that are its. Returns how many.
    virtual u64 give_named(u64 first, u64 count) {
        static_cast<void>(first), static_cast<void>(count);
        return 0;
    }
    /// Units were taken by force, its own perhaps: find out which, and forget them. The vector still says where bytes went.
    /// Returns how many it were.
    virtual u64 forget_lost() { return 0; }
    /// A page is touched whose frame was taken, by a handler that was in the middle of something when that happened: let it
    /// finish (revocation.cpp). False: not its page.
    virtual bool stand_in(VirtAddr address) {
        static_cast<void>(address);
        return false;
    }

  protected:
    ~Giver() = default;
};

}  // namespace tessera::libos
