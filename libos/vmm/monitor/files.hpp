// Files of the boot loader's, which a scenario gives to a monitor: kernels, initial RAM disks, images of disks.
#pragma once

#include <string_view>

#include "libos/vmm/devices/cow_disk.hpp"
#include "libos/vmm/monitor/windows.hpp"

namespace tessera::vmm {

/// One of them, bound readable for as long as this lives. Not found, or of no bytes: bytes() is empty.
class BootFileWindow {
  public:
    /// False: this environment was given no file of that name.
    bool open(std::string_view name);
    std::span<const std::byte> bytes() const { return bytes_; }

  private:
    RunWindow window_;
    std::span<const std::byte> bytes_;
};

/// A file as the image of a disk.
class FileImage final : public DiskImage {
  public:
    explicit FileImage(std::span<const std::byte> bytes) : DiskImage(bytes.size()), bytes_(bytes) {}
    const std::byte* block(u64 index) override { return bytes_.data() + index * kPageSize; }

  private:
    std::span<const std::byte> bytes_;
};

}  // namespace tessera::vmm
