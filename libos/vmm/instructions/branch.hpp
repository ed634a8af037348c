// How control goes on behind an instruction: what whoever follows code has to know of it.
#pragma once

#include "libos/vmm/instructions/decoder.hpp"

namespace tessera::vmm {

enum class Branch : u8 {
    none,           ///< To the next instruction.
    conditional,    ///< There, or to branch_target().
    jump,           ///< To branch_target().
    call,           ///< To branch_target(); it comes back to the next instruction.
    indirect_jump,  ///< Where a register or memory says.
    indirect_call,
    near_return,
    far,            ///< To another segment or level, or where an IDT says; some come back.
    stop,           ///< Raises an exception always (ud0, ud1, ud2), or means something else on every CPU.
};

/// Which one is `in`?  64-bit mode.
constexpr Branch branch_of(const Instruction& in) {
    if (in.encoding != Encoding::legacy) return Branch::none;
    if (is_ambiguous_branch(in)) return Branch::stop;
    const u8 op = in.opcode;
    if (in.map == kOneByte) {
        if ((op & 0xf0) == 0x70 || (op & 0xfc) == 0xe0) return Branch::conditional;
        switch (op) {
            case 0xe8: return Branch::call;
            case 0xe9: case 0xeb: return Branch::jump;
            case 0xc2: case 0xc3: return Branch::near_return;
            case 0xca: case 0xcb: case 0xcc: case 0xcd: case 0xcf: case 0xf1: return Branch::far;
            case 0xc7: return in.modrm == 0xf8 ? Branch::stop : Branch::none;  // xbegin
            case 0xff: break;
            default: return Branch::none;
        }
        constexpr Branch kByExtension[8] = {Branch::none, Branch::none, Branch::indirect_call, Branch::far,
                                            Branch::indirect_jump, Branch::far, Branch::none, Branch::stop};
        return kByExtension[in.extension()];
    }
    if (in.map != kMap0F) return Branch::none;
    if ((op & 0xf0) == 0x80) return Branch::conditional;
    if (op == 0x05 || op == 0x07 || op == 0x34 || op == 0x35) return Branch::far;
    return op == 0x0b || op == 0xb9 || op == 0xff ? Branch::stop : Branch::none;
}

/// Where a direct branch at `rip` goes.
constexpr u64 branch_target(const Instruction& in, u64 rip) { return rip + in.length + static_cast<u64>(in.immediate); }

}  // namespace tessera::vmm
