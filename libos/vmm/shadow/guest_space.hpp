// The guest's memory by its linear addresses, for the emulator: through the guest's tables, with accessed and dirty bits, and
// with tables that are written known to have been.
//
// Translations are remembered until the guest flushes, as a TLB does: most of what is emulated looks at the same few pages (the
// code, the stack, the descriptor tables), and a walk costs more than the rest of a short instruction. Those whose tables
// the shadow keeps an eye on outlive a flush that changes nothing, in each of the guest's address spaces.
#pragma once

#include <array>

#include "libos/vmm/shadow/shadow.hpp"

namespace tessera::vmm {

class GuestSpace final : public GuestAddressSpace {
  public:
    GuestSpace(GuestMemory& memory, Shadow& shadow) : memory_(memory), shadow_(shadow) {}

    bool read(u64 address, void* to, u64 length, Access access, Exception& fault) override;
    bool write(u64 address, const void* from, u64 length, Access access, Exception& fault) override;
    bool check(u64 address, u64 length, Access access, Exception& fault) override;

    /// The guest frame of a page, noted as accessed. False: `code` is the page fault's.  Hot.
    bool translate(PageNumber page, Access access, u64& frame, u32& code) {
        const u64 key = key_of(page, access);
        const Known& known = place_of(key);
        if (known.key != key || (known.holds_until != shadow_.changes() && known.holds_until != shadow_.epoch())) [[unlikely]]
            return look(page, access, frame, code);
        frame = known.frame;
        return true;
    }

  private:
    /// One translation; the kind of access is part of what is looked for.
    struct Known {
        u64 key = 0;
        u64 holds_until = 0;
        u64 frame = 0;
    };
    static constexpr u64 kKnown = 256;
    // | root (8) | ... | page (36) | kind (3) |
    u64 key_of(PageNumber page, Access access) const {
        return u64{shadow_.root()} << 48 | page.value << 3 | u64{access.write} << 2 | u64{access.fetch} << 1 | u64{access.user};
    }
    /// The kinds of access to a page stand side by side, and a page has another place in each root.
    Known& place_of(u64 key) { return known_[(key ^ key >> 45) % kKnown]; }

    bool look(PageNumber page, Access access, u64& frame, u32& code);
    std::byte* reach(u64 address, u64 length, Access access);
    template <class Each>
    bool for_each_page(u64 address, u64 length, Access access, Exception& fault, Each&& each);

    GuestMemory& memory_;
    Shadow& shadow_;
    std::array<Known, kKnown> known_{};
};

}  // namespace tessera::vmm
