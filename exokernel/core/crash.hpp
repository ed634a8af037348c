// Failing as asked (`crash=` on the checked kernel's command line): the tests look at what a panic prints.
#pragma once

#include "exokernel/core/command_line.hpp"

namespace tessera::kernel {

void crash_on_request(Crash crash);

}  // namespace tessera::kernel
