// What a switch knows of Ethernet: addresses, and the fourteen bytes in front of every frame.
#pragma once

#include <array>
#include <cstddef>

#include "exokernel/abi/types.hpp"

namespace tessera::libos {

using MacAddress = std::array<u8, 6>;

/// Everybody's, or a group's: the lowest bit of the first byte.
constexpr bool is_group(const MacAddress& address) { return (address[0] & 1) != 0; }
inline constexpr MacAddress kBroadcast{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/// As on the wire.
struct EthernetHeader {
    MacAddress to, from;
    std::array<u8, 2> type;
};
static_assert(sizeof(EthernetHeader) == 14 && alignof(EthernetHeader) == 1);

inline constexpr u64 kEthernetHeader = sizeof(EthernetHeader);
inline constexpr u64 kLongestFrame = 1518;  ///< With 1500 bytes in it, and a VLAN tag.

}  // namespace tessera::libos
