// What the monitors in tests give to their guests: a disk in memory, and the words behind `cmdline=`.
#pragma once

#include <algorithm>

#include "libos/core/libos.hpp"
#include "libos/vmm/devices/disk.hpp"
#include "libos/vmm/monitor/windows.hpp"

namespace tessera::guest_things {

using namespace tessera::libos;
using namespace tessera::vmm;

class MemoryDisk final : public Disk {
  public:
    Outcome open(u64 pages) { return memory_.take(pages); }
    Outcome close() { return memory_.close(); }
    u64 sectors() const override { return memory_.count() * (kPageSize / kSectorSize); }
    bool writable() const override { return true; }
    bool read(u64 sector, std::span<std::byte> to) override {
        std::copy_n(memory_.memory() + sector * kSectorSize, to.size(), to.data());
        return true;
    }
    bool write(u64 sector, std::span<const std::byte> from) override {
        std::ranges::copy(from, memory_.memory() + sector * kSectorSize);
        return true;
    }
    bool flush() override { return true; }

  private:
    RunWindow memory_;
};

/// Everything behind `cmdline=`.
inline std::string_view command_line() {
    constexpr std::string_view kOption = "cmdline=";
    const auto found = std::ranges::search(arguments(), kOption);
    return found.empty() ? std::string_view{} : std::string_view(found.end(), arguments().end());
}

}  // namespace tessera::guest_things
