// Everything that a small program needs: `#include "libos/core/libos.hpp"` and write `int libos_main()`.
#pragma once

#include "libos/core/call.hpp"
#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/core/upcalls.hpp"
