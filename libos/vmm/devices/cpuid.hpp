// What CPU a guest is told that it has: one table. (Intel SDM vol. 2A, CPUID; AMD64 APM vol. 3, appendix E.)
//
// It is the least with which unmodified kernels are content: SSE2, no XSAVE (so a guest's FPU state is the 512 bytes of
// FXSAVE), no feature that a monitor would have to emulate. With several CPUs there are local APICs as well, in x2APIC
// mode with the TSC deadline timer, and a hypervisor's signature, without which Linux refuses x2APIC.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

struct CpuidResult {
    u32 eax, ebx, ecx, edx;
    constexpr bool operator==(const CpuidResult&) const = default;
};

/// What CPU `cpu` of `cpus` answers. A leaf that is not there answers zeros. cpu < cpus.
CpuidResult cpuid(u32 leaf, u32 subleaf, u32 cpu, u32 cpus);

}  // namespace tessera::vmm
