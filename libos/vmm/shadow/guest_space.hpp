// The guest's memory by its linear addresses, for the emulator: through the guest's tables as they are now, with accessed
// and dirty bits, and with tables that are written known to have been.
#pragma once

#include "libos/vmm/shadow/shadow.hpp"

namespace tessera::vmm {

class GuestSpace final : public GuestAddressSpace {
  public:
    GuestSpace(GuestMemory& memory, Shadow& shadow) : memory_(memory), shadow_(shadow) {}

    bool read(u64 address, void* to, u64 length, Access access, Exception& fault) override;
    bool write(u64 address, const void* from, u64 length, Access access, Exception& fault) override;
    bool check(u64 address, u64 length, Access access, Exception& fault) override;

  private:
    template <class Each>
    bool for_each_page(u64 address, u64 length, Access access, Exception& fault, Each&& each);

    GuestMemory& memory_;
    Shadow& shadow_;
};

}  // namespace tessera::vmm
