// A translation that the hardware misses, filled from the S-TLB: what trap code does not settle in one store.
#pragma once

#include "exokernel/arch/x86_64/trap_frame.hpp"
#include "exokernel/core/context.hpp"

namespace tessera::kernel {

enum class Refill {
    no,       ///< No binding admits the access: it goes up.
    done,     ///< The access can be made again.
    no_room,  ///< The tables are full, and other CPUs may be using them: drop them with everything stopped, and go on.
};

/// Behind a fault of `page` in a context that this CPU may load. Notes accessed and dirty, and counts a hit.
Refill refill(Context& context, PageNumber page, PageFault fault);

}  // namespace tessera::kernel
