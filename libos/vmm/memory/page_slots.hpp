// Numbers for pages in a backing store: taken for one that goes out, given back when it has come in.
#pragma once

#include <optional>
#include <span>

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

class PageSlots {
  public:
    constexpr PageSlots() = default;
    /// `links`: a word for each slot that there is.
    constexpr explicit PageSlots(std::span<u32> links) : links_(links) {}

    constexpr std::optional<u64> take() {
        if (free_ != 0) {
            const u32 slot = free_ - 1;
            free_ = links_[slot];
            ++taken_;
            return slot;
        }
        if (untouched_ == links_.size()) return std::nullopt;
        ++taken_;
        return untouched_++;
    }
    constexpr void give_back(u64 slot) {
        links_[slot] = free_;
        free_ = static_cast<u32>(slot) + 1;
        --taken_;
    }
    constexpr u64 taken() const { return taken_; }
    constexpr u64 capacity() const { return links_.size(); }

  private:
    std::span<u32> links_;
    u32 free_ = 0;  // 1 + slot; 0: none on the list
    u64 untouched_ = 0, taken_ = 0;
};

}  // namespace tessera::vmm
