// The disk, the network card and the balloon, if the machine has any that this kernel can drive.
#pragma once

namespace small::trapped {

void start_disk();
void start_network();
void start_balloon();

/// Give frames to the balloon, or take some back, as it was asked. Interrupts off; nobody is in the middle of anything.
void tend_balloon();

}  // namespace small::trapped
