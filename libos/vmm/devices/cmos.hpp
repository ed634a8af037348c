// The PC's clock and its 128 bytes of battery-backed memory, at ports 70 and 71. (Motorola MC146818A, 1984.)
//
// It shows the time of day and raises no interrupt: alarms and the periodic interrupt cannot be enabled. The guest
// cannot set it; it belongs to whoever made the guest.
#pragma once

#include "libos/vmm/devices/ports.hpp"

namespace tessera::vmm {

class Cmos : public PortDevice {
  public:
    /// `wall_time`: seconds since 1970-01-01 UTC when the guest was made.
    explicit Cmos(u64 wall_time) : made_(wall_time) {}

    void advance(u64 now) { now_ = now; }

    static constexpr u16 kPorts =
        0x70;  ///< Two: which byte, and the byte. Bit 7 of the first masks NMI, of which there are none.
    u32 read(u16 port, u32 size) override;
    void write(u16 port, u32 size, u32 value) override;

  private:
    u8 clock(u8 place) const;

    u64 made_;
    u64 now_ = 0;
    u8 place_ = 0;
    bool binary_ = false;  ///< Register B, DM: numbers are binary instead of decimal digits.
    u8 memory_[128]{};
};

}  // namespace tessera::vmm
