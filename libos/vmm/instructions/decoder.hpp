// The decoder: how long is the instruction at some address, and what are its parts.
//
// A monitor needs lengths (to step over what it emulated where the CPU does not tell, to follow code) and structure
// (to find operands, to relocate), not names. So this is a table of what follows each opcode; which instructions
// matter to a monitor is said in sensitive.hpp. Debian has no static library that would do it, and the tests hold
// this one against the shared one that there is (Zydis).
#pragma once

#include "libos/vmm/instructions/instruction.hpp"

namespace tessera::vmm {

enum class Decoded : u8 {
    ok,
    truncated,  ///< Goes on behind the bytes that were given.
    invalid,    ///< No instruction: #UD on every CPU.
    too_long,   ///< More than 15 bytes: #GP.
};

/// Decode the instruction at `bytes`, of which `available` may be read. Any bytes will do. Branches are read as Intel's CPUs
/// do: in 64-bit mode an operand-size prefix does not shorten their distance. Whether registers and prefixes go
/// together with an opcode is looked at only where the length depends on it; `invalid` is never wrong.
/// Cost: about 60 to 150 instructions.  Source: SDM vol. 2, chapter 2 and appendix A; APM vol. 3, 1 and appendix A.
Decoded decode(const u8* bytes, u64 available, CodeMode mode, Instruction& out);

/// A near branch whose length Intel's and AMD's CPUs read differently, so that nobody can rely on it.
constexpr bool is_ambiguous_branch(const Instruction& in) {
    if (in.mode != CodeMode::bits64 || !in.operand_prefix || in.rex_w() || in.encoding != Encoding::legacy) return false;
    if (in.map == kOneByte)
        return in.opcode == 0xe8 || in.opcode == 0xe9 || in.opcode == 0xeb || in.opcode == 0xc2 || in.opcode == 0xc3 ||
               (in.opcode & 0xf0) == 0x70 || (in.opcode & 0xfc) == 0xe0 ||
               (in.opcode == 0xff && (in.extension() == 2 || in.extension() == 4));
    return in.map == kMap0F && (in.opcode & 0xf0) == 0x80;
}

}  // namespace tessera::vmm
