// What a virtual CPU's registers hold when it starts: for a kernel in long mode, in protected mode, or for a CPU that
// another one has just started, in real mode. Whatever is not named is zero.
#pragma once

#include "exokernel/abi/guest.hpp"

namespace tessera::vmm {

/// As the kernel wants it.
using SegmentStart = GuestSegment;

struct StartState {
    u64 rip = 0, rsp = 0, rax = 0, rbx = 0, rdx = 0, rsi = 0;
    u64 rflags = 2;  ///< Bit 1 is always set; interrupts are off.
    u64 cr0 = 0, cr3 = 0, cr4 = 0, efer = 0;
    SegmentStart cs{};
    SegmentStart data{};  ///< DS, ES, SS, FS and GS.
    SegmentStart tr{}, ldtr{};
    SegmentStart gdtr{}, idtr{};  ///< Base and limit.
};

/// Either a state to start from, or why there is none.
struct BootResult {
    StartState state;
    const char* problem = nullptr;
};

inline constexpr u64 kCr0Protected = 1, kCr0ExtensionType = 1 << 4, kCr0Paging = u64{1} << 31;
inline constexpr u64 kCr4Pae = 1 << 5;

/// A CPU that gets a start-up interrupt begins in real mode at page `vector`. (Intel SDM vol. 3A, 8.4.4.)
constexpr StartState startup_state(u8 vector) {
    StartState state;
    state.cr0 = kCr0ExtensionType;
    state.cs = {static_cast<u16>(vector << 8), 0x9b, 0xffff, u64{vector} << 12};
    state.data = {0, 0x93, 0xffff, 0};
    state.tr = {0, 0x8b, 0xffff, 0};
    state.ldtr = {0, 0x82, 0xffff, 0};
    state.gdtr = {0, 0, 0xffff, 0};
    state.idtr = {0, 0, 0x3ff, 0};
    return state;
}

}  // namespace tessera::vmm
