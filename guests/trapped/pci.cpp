#include "guests/trapped/pci.hpp"

#include "guests/trapped/registers.hpp"

namespace small::trapped {
namespace {

constexpr u16 kAddress = 0xcf8, kData = 0xcfc;
constexpr u8 kId = 0, kCommand = 4, kBar0 = 0x10, kInterrupt = 0x3c;

u32 read_config(u32 device, u8 offset) {
    out32(kAddress, device | offset);
    return in32(kData);
}

}  // namespace

PciDevice find_pci(u16 vendor, u16 device) {
    for (u32 slot = 0; slot < 32; ++slot) {
        const u32 address = 1u << 31 | slot << 11;
        if (read_config(address, kId) != (u32{device} << 16 | vendor)) continue;
        const u32 bar = read_config(address, kBar0), line = read_config(address, kInterrupt) & 0xff;
        if (!(bar & 1) || (bar & 0xfffc) == 0 || line > 15) continue;
        out32(kAddress, address | kCommand);
        out16(kData, static_cast<u16>(in16(kData) | 1 | 4));
        return {address, static_cast<u16>(bar & 0xfffc), static_cast<u8>(line)};
    }
    return {};
}

}  // namespace small::trapped
