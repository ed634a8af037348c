// The machine's console, for one guest: what it prints goes there byte by byte, and what somebody types comes to it. The
// kernel gives the console to one environment (option `console=1`).
#pragma once

#include "libos/vmm/devices/uart.hpp"
#include "libos/vmm/monitor/monitor.hpp"

namespace tessera::vmm {

class Console final : public ByteSink, public Chore {
  public:
    /// Where what is typed goes; before that it waits where it is.
    void connect(Uart& serial) { serial_ = &serial; }

    void put(std::span<const std::byte> bytes) override;
    u64 tend(u64 now) override;

  private:
    void flush();

    Uart* serial_ = nullptr;
    char text_[256];
    u64 length_ = 0;
};

}  // namespace tessera::vmm
