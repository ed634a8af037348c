// 16550 serial ports, polled: COM1 for people, COM2 for records, COM3 is the console of whoever was given it. (National Semiconductor PC16550D.)
#pragma once

#include "exokernel/arch/x86_64/registers.hpp"

namespace tessera::kernel {

class Uart {
  public:
    constexpr explicit Uart(u16 port) : port_(port) {}

    void initialise() const {
        out8(port_ + kInterruptEnable, 0);
        out8(port_ + kLineControl, 0x80);  // divisor latch
        out8(port_ + kData, 1);            // 115200 baud
        out8(port_ + kInterruptEnable, 0);
        out8(port_ + kLineControl, 0x03);  // 8 bits, no parity, one stop bit
        out8(port_ + kFifoControl, 0x07);
        out8(port_ + kModemControl, 0x03);
    }
    /// Waits for room, for a bounded time: a port that is not there must not stop the machine.
    void write(u8 byte) const {
        for (u32 tries = 0; tries < 100'000 && (in8(port_ + kLineStatus) & 0x20) == 0; ++tries) {
        }
        out8(port_ + kData, byte);
    }
    /// A byte that has come, or -1.
    int read() const { return in8(port_ + kLineStatus) & 0x01 ? in8(port_ + kData) : -1; }
    /// Waits until FIFO and shift register are empty (16 bytes: 1.4 ms), for a bounded time.
    void drain() const {
        for (u32 tries = 0; tries < 1'000'000 && (in8(port_ + kLineStatus) & 0x40) == 0; ++tries) {
        }
    }

  private:
    enum Register : u16 {
        kData, kInterruptEnable, kFifoControl, kLineControl, kModemControl, kLineStatus,
    };
    u16 port_;
};

inline constexpr Uart com1{0x3f8};
inline constexpr Uart com2{0x2f8};
inline constexpr Uart com3{0x3e8};

}  // namespace tessera::kernel
