#include "libos/net/mac_table.hpp"

#include <algorithm>

namespace tessera::libos {

u64 MacTable::Port::place_of(const MacAddress& wanted) const {
    for (u64 i = 0; i < learned; ++i)
        if (address[i] == wanted) return i;
    return kLearned;
}

bool MacTable::learn(u64 port, const MacAddress& address) {
    if (is_group(address)) return false;
    for (u64 other = 0; other < kPorts; ++other) {
        Port& each = ports_[other];
        if (!each.used) continue;
        if (each.given == address) return other == port;
        const u64 place = each.place_of(address);
        if (place == kLearned) continue;
        if (other == port) return true;
        each.address[place] = each.address[--each.learned];
    }
    Port& own = ports_[port];
    const u64 place = own.learned < kLearned ? own.learned++ : own.next++ % kLearned;
    own.address[place] = address;
    return true;
}

std::optional<u64> MacTable::find(const MacAddress& address) const {
    for (u64 port = 0; port < kPorts; ++port)
        if (ports_[port].used && (ports_[port].given == address || ports_[port].place_of(address) != kLearned)) return port;
    return std::nullopt;
}

}  // namespace tessera::libos
