// How the kernel is entered: every trap is a call of one function, with all registers already put away.
#pragma once

namespace small::paravirt_layer {

void start_traps();

}  // namespace small::paravirt_layer
