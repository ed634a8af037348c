// Doing something at a moment when the program is in the middle of nothing.
//
// An upcall can come while the heap, a page-fault handler or a thread switch is half done. What needs all of them whole
// is not done in the upcall's handler: the program itself is made to do it, on its own stack, as soon as it would go
// on, and, if it holds preemption off just then (NoPreemption), as soon as it does not.
#pragma once

#include "exokernel/abi/upcalls.hpp"

namespace tessera::libos {

/// From the handler of an upcall with this record: have `work` done at the next safe point, at depth 0 and with preemption
/// held off. Asked again before it was done, it is done once; while it is being done, once more afterwards. So `work`
/// should look what there is to do, and not be told. All registers are kept around it, SSE's too.
/// There is one `work` in a program.
void do_at_safe_point(SaveRecord& record, void (*work)());

}  // namespace tessera::libos
