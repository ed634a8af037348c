// What stands behind a guest's disk: sectors that can be read and perhaps written.
#pragma once

#include <span>

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

inline constexpr u64 kSectorSize = 512;

/// Ranges handed in are whole sectors that lie on the disk: the device has looked.
class Disk {
  public:
    virtual u64 sectors() const = 0;
    virtual bool writable() const = 0;
    /// False: the guest gets an I/O error.
    virtual bool read(u64 sector, std::span<std::byte> to) = 0;
    virtual bool write(u64 sector, std::span<const std::byte> from) = 0;
    /// The page of sectors from `sector` on, which lies on the disk, is to be seen at a guest frame: without copying. False: that
    /// cannot be, and it is read like any other.
    virtual bool show(u64 sector, u64 guest_frame) {
        static_cast<void>(sector), static_cast<void>(guest_frame);
        return false;
    }
    /// What was written is to be as safe as it gets.
    virtual bool flush() = 0;

  protected:
    ~Disk() = default;
};

}  // namespace tessera::vmm
