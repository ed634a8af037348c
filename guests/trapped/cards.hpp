// The disk and the network card, if the machine has any that this kernel can drive.
#pragma once

namespace small::trapped {

void start_disk();
void start_network();

}  // namespace small::trapped
