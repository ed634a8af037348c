// What goes over in a protected control transfer, as C++ sees it: ten words there, eleven back.
#pragma once

#include "exokernel/abi/transfer.hpp"

namespace tessera::libos {

/// The registers of a transfer, in the order of libos/core/transfer.S. All of them go over, so all of them are here:
/// those without a use are zero, and tell nobody what was computed before.
struct Message {
    static constexpr u64 kWords = 10;
    u64 word[kWords]{};
    u64 extra{};  ///< In an answer only.
};
static_assert(sizeof(Message) == 88);

}  // namespace tessera::libos
