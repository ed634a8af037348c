#include "exokernel/core/crash.hpp"

namespace tessera::kernel {
namespace {

volatile u64 crash_target = 0x10;  // an address that the kernel does not map

[[gnu::noipa]] u64 overflow_stack(u64 depth) {
    volatile u64 page[64] = {depth};
    if (page[0] == crash_target << 32) return 0;  // deeper than any stack
    return overflow_stack(depth + 1) + page[1];    // not a tail call
}

}  // namespace

void crash_on_request(Crash crash) {
    if (crash == Crash::trap) __builtin_trap();
    if (crash == Crash::fault) *reinterpret_cast<volatile u64*>(crash_target) = 1;
    if (crash == Crash::stack) crash_target = overflow_stack(0);
}

}  // namespace tessera::kernel
