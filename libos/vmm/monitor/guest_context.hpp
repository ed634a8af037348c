// A context for guests, made of the monitor's frames: as large as what it will translate.
#pragma once

#include "libos/core/call.hpp"

namespace tessera::vmm {

class GuestContext {
  public:
    constexpr GuestContext() = default;
    GuestContext(const GuestContext&) = delete;
    GuestContext& operator=(const GuestContext&) = delete;

    /// `pages`: how many different ones it should hold at once; more displace each other.
    /// Errors: of frame_alloc and context_create; unsupported: this CPU has no such kind.
    Outcome open(ContextKind kind, u64 pages);
    /// No guest may be loaded with it any more.  Errors: of context_destroy.
    Outcome close();

    VirtAddr capability() const { return libos::address(grant_.context); }
    /// Where its S-TLB lies, to be bound readable.
    const Capability& stlb() const { return grant_.stlb; }

  private:
    ContextGrant grant_;
    Capability frames_;
};

}  // namespace tessera::vmm
