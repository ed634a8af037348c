// How bytes of a boot module get into a guest's memory: copied, or, where whole pages coincide, mapped and copied only
// when the guest writes them. A loader says what belongs where; which of the two happens is the monitor's choice.
#pragma once

#include "libos/vmm/guest_memory.hpp"

namespace tessera::vmm {

class Placer {
  public:
    /// These bytes, which stay readable for as long as the guest lives, are to be seen at a guest-physical address. The
    /// loader has seen that they fit. What nobody places stays as it is: a guest's memory is zero at first.
    virtual bool place(u64 guest_physical, std::span<const std::byte> bytes) = 0;

  protected:
    ~Placer() = default;
};

/// Copies.
class CopyPlacer final : public Placer {
  public:
    explicit CopyPlacer(GuestMemory& memory) : memory_(memory) {}
    bool place(u64 guest_physical, std::span<const std::byte> bytes) override {
        return memory_.copy_out(guest_physical, bytes);
    }

  private:
    GuestMemory& memory_;
};

/// Take a range apart for a placer that maps: `page(guest frame, bytes of the whole page)` for each page that coincides
/// with one of the module's, `part(guest physical, bytes)` for everything else. False as soon as one answers it.
template <class Page, class Part>
bool each_placed(u64 guest_physical, std::span<const std::byte> bytes, Page page, Part part) {
    const bool coincide = (guest_physical - reinterpret_cast<u64>(bytes.data())) % kPageSize == 0;
    while (!bytes.empty()) {
        const u64 room = kPageSize - guest_physical % kPageSize;
        const auto piece = bytes.first(room < bytes.size() ? room : bytes.size());
        const bool whole = coincide && piece.size() == kPageSize;
        if (!(whole ? page(guest_physical >> kPageShift, piece) : part(guest_physical, piece))) return false;
        guest_physical += piece.size();
        bytes = bytes.subspan(piece.size());
    }
    return true;
}

}  // namespace tessera::vmm
