// The FPU's and SSE's registers, which are the environment's: what is in them while a guest runs is that guest's. A monitor is
// built without SSE, so only one that runs several virtual CPUs has to exchange them (APM vol. 2, 11.4).
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

struct alignas(16) FpuState {
    std::byte bytes[512];
};

/// As after FNINIT, with all exceptions masked and every register zero.
inline void reset(FpuState& state) {
    constexpr u16 kControl = 0x37f;
    constexpr u32 kSseControl = 0x1f80;
    state = {};
    __builtin_memcpy(&state.bytes[0], &kControl, sizeof kControl);
    __builtin_memcpy(&state.bytes[24], &kSseControl, sizeof kSseControl);
}

// Safety: compilers keep nothing in these registers here (-mgeneral-regs-only).
inline void save(FpuState& state) { asm volatile("fxsave64 %0" : "=m"(state)); }
inline void load(const FpuState& state) { asm volatile("fxrstor64 %0" : : "m"(state)); }

}  // namespace tessera::vmm
