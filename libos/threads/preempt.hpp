// What the scheduler and its upcall handler know of each other.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::libos {

/// A slice has ended since the scheduler looked last. Set by the handler, taken by ask_policy().
extern volatile bool slice_over;

/// Is this turn over? If so, it gives way. For threads.
bool ask_policy();

/// The threads of a program have got stuck: the end, with the reason.
[[noreturn]] void threads_stuck(const char* reason);

}  // namespace tessera::libos
