// The one word that the scheduler, the heap and the handler of slice_end share.
#include "libos/core/preemption.hpp"

namespace tessera::libos {

constinit Preemption preemption;

}  // namespace tessera::libos
