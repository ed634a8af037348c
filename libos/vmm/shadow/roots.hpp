// The guest's address spaces that have a shadow: a few, the least recently used one makes room. With one, a switch of
// processes in the guest throws all away; with many it throws nothing away (Disco's second-level TLB, SOSP 1997, 3.2).
#pragma once

#include <array>

#include "libos/vmm/shadow/frame_records.hpp"
#include "libos/vmm/shadow/walker.hpp"

namespace tessera::vmm {

class RootCache {
  public:
    /// At most `roots` of them, 1 to kMaxRoots.
    explicit RootCache(u32 roots) : count_(roots) {}

    struct Found {
        u32 root;
        bool made;  ///< It stood for something else before, or for nothing: what is bound in it has to go.
    };
    /// The root for an address space. Whichever was not used for the longest time is taken for a new one.
    Found find(const PagingMode& mode) {
        u32 oldest = 0;
        ++clock_;
        for (u32 i = 0; i < count_; ++i) {
            if (used_[i] != 0 && mode_[i] == mode) {
                used_[i] = clock_;
                return {i, false};
            }
            if (used_[i] < used_[oldest]) oldest = i;
        }
        mode_[oldest] = mode;
        used_[oldest] = clock_;
        ++generation_[oldest];
        return {oldest, true};
    }

    const PagingMode& mode(u32 root) const { return mode_[root]; }
    const u32* generations() const { return generation_.data(); }
    u32 count() const { return count_; }

  private:
    u32 count_;
    u64 clock_ = 0;
    std::array<PagingMode, kMaxRoots> mode_{};
    std::array<u64, kMaxRoots> used_{};
    std::array<u32, kMaxRoots> generation_{};
};

}  // namespace tessera::vmm
