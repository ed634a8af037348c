// The FPU's instructions by kind, and the conditions of each.
#include "libos/vmm/instructions/fpu.hpp"

namespace tessera::vmm {

namespace {

constexpr bool is_between(u8 opcode, u8 first, u8 last) { return opcode >= first && opcode <= last; }

/// Is it one that knows the eight registers of MMX only? Nearly all are the SSE instruction of the same name, without its prefix.
bool is_mmx(const Instruction& in) {
    if (in.encoding == Encoding::three_d_now) return true;
    if (in.operand_prefix || in.repeat) return false;
    const u8 op = in.opcode;
    constexpr u8 kFemms = 0x0e, kAlign = 0x0f;
    switch (in.map) {
        case kMap0F: return op == kFemms || is_between(op, 0x60, 0x77) || is_between(op, 0x7e, 0x7f) || is_between(op, 0xc4, 0xc5) || op >= 0xd1;
        case kMap0F38: return op <= 0x0b || is_between(op, 0x1c, 0x1e);
        case kMap0F3A: return op == kAlign;
        default: return false;
    }
}

}  // namespace

FpuKind fpu_kind(const Instruction& in) {
    constexpr u8 kWait = 0x9b, kGroup15 = 0xae;
    if (in.encoding == Encoding::legacy && in.map == kOneByte) return in.opcode == kWait ? FpuKind::wait : FpuKind::x87;
    if (in.is_legacy(kMap0F, kGroup15) && in.has_memory() && in.extension() < 2) return FpuKind::state;
    return is_mmx(in) ? FpuKind::mmx : FpuKind::sse;
}

std::optional<Vector> fpu_refusal(const VirtualCpu& cpu, FpuKind kind) {
    const bool emulated = cpu.cr0 & cr0::kEmulate, switched = cpu.cr0 & cr0::kSwitched;
    switch (kind) {
        case FpuKind::wait:
            if (switched && (cpu.cr0 & cr0::kMonitor)) return kDeviceMissing;
            return std::nullopt;
        case FpuKind::x87: case FpuKind::state:
            if (emulated || switched) return kDeviceMissing;
            return std::nullopt;
        case FpuKind::sse:
            if (!(cpu.cr4 & cr4::kFxsave)) return kInvalidOpcode;
            [[fallthrough]];
        case FpuKind::mmx:
            if (emulated) return kInvalidOpcode;
            if (switched) return kDeviceMissing;
            return std::nullopt;
    }
    return kInvalidOpcode;
}

}  // namespace tessera::vmm
