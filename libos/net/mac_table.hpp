// Which port has which address: given ones, which nothing displaces, and learned ones, of ports that others are behind.
//
// A port that makes up addresses displaces its own: each has room for kLearned. Pure.
#pragma once

#include <optional>

#include "libos/net/ethernet.hpp"

namespace tessera::libos {

class MacTable {
  public:
    static constexpr u64 kPorts = 16, kLearned = 16;

    /// The address of a port that begins.
    void give(u64 port, const MacAddress& address) { ports_[port] = {address, true, 0, 0, {}}; }
    /// A frame came from `address` through `port`. An address that was given to somebody stays there, and one that was
    /// learned elsewhere has moved. False: it is somebody else's, or no sender's.
    bool learn(u64 port, const MacAddress& address);
    /// Nothing: nobody was heard of with that address.
    std::optional<u64> find(const MacAddress& address) const;
    void forget(u64 port) { ports_[port] = {}; }

    const MacAddress& given(u64 port) const { return ports_[port].given; }

  private:
    struct Port {
        MacAddress given;
        bool used;
        u64 learned, next;  // how many, and which is replaced next
        MacAddress address[kLearned];

        /// kLearned: not there.
        u64 place_of(const MacAddress& address) const;
    };
    Port ports_[kPorts]{};
};

}  // namespace tessera::libos
