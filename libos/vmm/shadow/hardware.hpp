// What shadow paging is done to: somebody who holds bindings of guest pages, by root, and forgets them when told.
//
// A *root* stands for one address space of the guest's: its table of level 4 and the mode in which it is walked. Behind a
// root are one context (SVM: rings are told apart by supervisor pages) or two (ring 3: one for the guest's kernel, one
// for its user). Whoever is behind it may lose bindings at any time, as the S-TLB does: a page that is not bound is asked
// for again.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

inline constexpr u32 kMaxRoots = 64;

class ShadowHardware {
  public:
    /// Drop what is bound at `count` pages from `page` on.
    virtual void forget(u32 root, PageNumber page, u64 count) = 0;
    /// Drop all that is bound in `root`.
    virtual void forget_root(u32 root) = 0;
    /// Drop every binding of a guest frame that may be written through, in all roots, wherever it is. Slow: it has to be looked for.
    virtual void forget_frame(u64 guest_frame) = 0;

  protected:
    ~ShadowHardware() = default;
};

}  // namespace tessera::vmm
