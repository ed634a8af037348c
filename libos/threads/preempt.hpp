// What the scheduler and its upcall handler know of each other.
#pragma once

namespace tessera::libos {

/// The threads of a program have got stuck: the end, with the reason.
[[noreturn]] void threads_stuck(const char* reason);

}  // namespace tessera::libos
