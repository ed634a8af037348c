// The code of a guest's kernel, as the rewriter reaches it: by the guest's addresses, or by guest-physical ones, which are
// also what names a byte.
#pragma once

#include "libos/vmm/instructions/rewrite.hpp"
#include "libos/vmm/shadow/guest_space.hpp"

namespace tessera::vmm {

class GuestCode final : public CodeMemory {
  public:
    GuestCode(GuestMemory& memory, Shadow& shadow, GuestSpace& space) : memory_(memory), shadow_(shadow), space_(space) {}

    bool read(u64 address, u8* to, u64 length) override;
    u64 identity(u64 address) override;
    void patch(u64 address, u8 byte) override;

  private:
    /// Guest-physical; nothing where the guest's kernel may not fetch.
    std::optional<u64> physical(u64 address);

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
