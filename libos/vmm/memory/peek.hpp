// One page of the monitor's, behind which any frame can be looked at.
#pragma once

#include "libos/vmm/monitor/windows.hpp"

namespace tessera::vmm {

class Peek final : private Window {
  public:
    void open() { Window::open(1); }
    void close();
    /// The bytes of a frame that `capability` allows to be read; good until the next call. It must stay that long.
    const u64* at(const Capability& capability, FrameNumber frame);

  private:
    bool bind(u64 index, u64 access) override;

    const Capability* capability_ = nullptr;
    FrameNumber frame_{};
};

/// Are two pages equal? Both may be the only pages that the S-TLB has a place for: so a piece of one is copied first.
bool equal_pages(const u64* one, const u64* other);

}  // namespace tessera::vmm
