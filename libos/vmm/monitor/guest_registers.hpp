// The general registers of a guest's state page, by the numbers that instructions have for them.
#pragma once

#include "exokernel/abi/guest.hpp"
#include "libos/vmm/instructions/virtual_cpu.hpp"

namespace tessera::vmm {

inline constexpr u64 GuestState::*kGuestRegisters[16] = {
    &GuestState::rax, &GuestState::rcx, &GuestState::rdx, &GuestState::rbx, &GuestState::rsp, &GuestState::rbp, &GuestState::rsi,
    &GuestState::rdi, &GuestState::r8,  &GuestState::r9,  &GuestState::r10, &GuestState::r11, &GuestState::r12, &GuestState::r13,
    &GuestState::r14, &GuestState::r15};

inline void load_registers(VirtualCpu& cpu, const GuestState& state) {
#pragma GCC unroll 16
    for (u64 i = 0; i < 16; ++i) cpu.gpr[i] = state.*kGuestRegisters[i];
}
inline void store_registers(const VirtualCpu& cpu, GuestState& state) {
#pragma GCC unroll 16
    for (u64 i = 0; i < 16; ++i) state.*kGuestRegisters[i] = cpu.gpr[i];
}

}  // namespace tessera::vmm
