// PCI by configuration type 1 (ports CF8, CFC): enough to find a device on bus 0 and to switch it on.
#pragma once

#include "guests/small/types.hpp"

namespace small::trapped {

struct PciDevice {
    u32 address;        ///< As CF8 wants it, register 0.
    u16 io_base;        ///< Of BAR 0.
    u8 line;            ///< Interrupt line, as the firmware or monitor wrote it down.
    explicit operator bool() const { return address != 0; }
};

/// The first device of this vendor and id whose BAR 0 is I/O ports; I/O and bus mastering are switched on.
PciDevice find_pci(u16 vendor, u16 device);

}  // namespace small::trapped
