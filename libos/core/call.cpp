// The one call that needs a function of its own: see syscalls.hpp on what `yield` keeps.
#include "libos/core/call.hpp"

namespace tessera::libos {

Answer enter_yield(EnvId target) {
#if __STDC_HOSTED__
    return host_kernel(Yield::number, {target.value});
#else
    u64 rax = Yield::number, rdi = target.value, rdx;
    // Safety: what is live is saved by the compiler around it; SSE registers are the caller's in any call.
    asm volatile("syscall"
                 : "+a"(rax), "+D"(rdi), "=d"(rdx)
                 :
                 : "rbx", "rbp", "rcx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
    return {static_cast<Error>(rax), rdx};
#endif
}

}  // namespace tessera::libos
