// The code of a guest's kernel, as the rewriter reaches it: by the guest's addresses, or by guest-physical ones, which are
// also what names a byte.
#pragma once

#include "libos/vmm/instructions/rewrite.hpp"
#include "libos/vmm/shadow/guest_space.hpp"

namespace tessera::vmm {

class LinearCode final : public CodeMemory {
  public:
    LinearCode(GuestMemory& memory, Shadow& shadow, GuestSpace& space) : memory_(memory), shadow_(shadow), space_(space) {}

    bool read(u64 address, u8* to, u64 length) override;
    u64 identity(u64 address) override;
    void patch(u64 address, u8 byte) override;

    /// Guest-physical; nothing where the guest's kernel may not fetch.  Hot.
    std::optional<u64> physical(u64 address) {
        u64 frame;
        u32 code;
        if (!is_canonical(address) || !space_.translate(guest_page(address), {.fetch = true}, frame, code) || frame >= memory_.frames()) return {};
        return frame << kPageShift | address % kPageSize;
    }
    /// The same, if whoever watches the page is told before it is written.
    std::optional<u64> watched(u64 address) {
        const auto at = physical(address);
        return at && shadow_.is_watched(*at >> kPageShift) ? at : std::nullopt;
    }

  private:
    GuestMemory& memory_;
    Shadow& shadow_;
    GuestSpace& space_;
};

/// By guest-physical addresses.
class PhysicalCode final : public CodeMemory {
  public:
    explicit PhysicalCode(GuestMemory& memory) : memory_(memory) {}

    bool read(u64 address, u8* to, u64 length) override;
    u64 identity(u64 address) override { return address; }
    void patch(u64 address, u8 byte) override;

  private:
    GuestMemory& memory_;
};

}  // namespace tessera::vmm
