// What the control registers say about the FPU and its relatives, for a guest whose CR0 and CR4 are not the real CPU's.
//
// A monitor lets them trap (GuestWish::no_fpu) as long as the guest's registers ask for anything but that they run, and asks here
// what a trap means. There are five kinds, as the conditions go: what the x87 unit does, WAIT, saving and restoring, MMX, SSE.
// Source: SDM vol. 3, 2.5 and table 2-2 (x87, WAIT), 12.1 (MMX), 14.1 (SSE, CR4.OSFXSR); vol. 2, FXSAVE.
#pragma once

#include <optional>

#include "libos/vmm/instructions/machine.hpp"

namespace tessera::vmm {

enum class FpuKind : u8 { x87, wait, state, mmx, sse };

/// Which of them is an instruction that the real CPU refused as exception 7.
FpuKind fpu_kind(const Instruction& in);

/// Would the guest's CPU execute every one of them?  Hot.
constexpr bool fpu_is_open(const VirtualCpu& cpu) {
    return (cpu.cr0 & (cr0::kEmulate | cr0::kSwitched)) == 0 && (cpu.cr4 & cr4::kFxsave);
}

/// What the guest's CPU says to one: kDeviceMissing, kInvalidOpcode, or nothing: it executes it.
std::optional<Vector> fpu_refusal(const VirtualCpu& cpu, FpuKind kind);

}  // namespace tessera::vmm
