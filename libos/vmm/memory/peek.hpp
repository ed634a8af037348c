// One page of the monitor's, behind which any frame can be looked at, one that is borrowed too: where that is gone, zeros are
// seen, and failed() says so.
#pragma once

#include "libos/vmm/monitor/frame_supply.hpp"
#include "libos/vmm/monitor/windows.hpp"

namespace tessera::vmm {

class Peek final : private Window {
  public:
    /// `supply`: what stands in for a loan that is gone is its.
    void open(const FrameSupply& supply) {
        supply_ = &supply;
        Window::open(1);
    }
    void close();
    /// The bytes of a frame of the supply's, or of one that it has adopted; good until the next call.
    const u64* at(SuppliedFrame frame);
    /// What was looked at last is not what was seen.
    bool failed() const { return failed_; }

  private:
    bool bind(u64 index, u64 access) override;

    const FrameSupply* supply_ = nullptr;
    SuppliedFrame frame_{};
    volatile bool failed_ = false;  // set in a handler
};

/// Are two pages equal? Both may be the only pages that the S-TLB has a place for: so a piece of one is copied first.
bool equal_pages(const u64* one, const u64* other);

}  // namespace tessera::vmm
