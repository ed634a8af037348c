// A console with one port: bytes out, bytes in, without an exit for each. (Virtio 1.1, 5.3 with its legacy interface.)
#pragma once

#include "libos/vmm/devices/uart.hpp"
#include "libos/vmm/devices/virtio.hpp"

namespace tessera::vmm {

class VirtioConsole final : public VirtioDevice {
  public:
    VirtioConsole(GuestMemory& memory, GuestLog& log, ByteSink& sink);

    /// Somebody typed: as much as the guest has a buffer for. Answers how much that was.
    u64 receive(std::span<const std::byte> bytes);

  private:
    enum Queue : u32 { kReceive = 0, kSend = 1 };
    static constexpr u64 kMostAtOnce = u64{1} << 16;

    void on_notify(u32 queue) override;
    u8 config(u32) const override { return 0; }  ///< Its size is not offered.
    u32 send(const Chain& chain);

    ByteSink& sink_;
};

}  // namespace tessera::vmm
