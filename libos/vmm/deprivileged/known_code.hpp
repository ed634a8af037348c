// Instructions of the guest's kernel that trapped before, taken apart. The same few trap again and again, and to fetch and decode one
// costs more than to emulate it.
//
// What is known is named by guest-physical address, and lies in a page that is watched: before anybody writes to it, it is forgotten.
#pragma once

#include <array>

#include "libos/vmm/instructions/sensitive.hpp"

namespace tessera::vmm {

struct KnownInstruction {
    u64 where;       ///< Guest-physical.
    u64 generation;
    Instruction in;
    Sensitive what;  ///< none: a branch, in whose place a trapping byte is.
};

class KnownCode {
  public:
    /// nullptr: it has to be fetched.  Hot.
    const KnownInstruction* find(u64 where) const {
        const KnownInstruction& known = known_[where % kKnown];
        return known.where == where && known.generation == generation_ ? &known : nullptr;
    }
    static constexpr u64 kNowhere = ~u64{0};
    /// It stood there when `generation` was the present one. Nothing with kNowhere.
    void remember(u64 where, u64 generation, const Instruction& in, Sensitive what) {
        const bool in_one_page = where != kNowhere && where % kPageSize + in.length <= kPageSize;
        if (in_one_page && generation == generation_) known_[where % kKnown] = {where, generation, in, what};
    }
    /// A page is about to be written.
    void forget() { ++generation_; }
    u64 generation() const { return generation_; }

  private:
    static constexpr u64 kKnown = 256;
    std::array<KnownInstruction, kKnown> known_{};
    u64 generation_ = 1;  // as those that were never anything have zero
};

}  // namespace tessera::vmm
