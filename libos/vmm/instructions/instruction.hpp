// One x86-64 instruction, taken apart: where its parts are and how it names its operands, nothing about what it does.
//
// Offsets are from the first byte of the instruction, so that a translator can copy it and change one part. An
// Instruction is a value: it keeps no pointer to the bytes, which a guest may change as soon as they were read.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

/// How bytes are to be read: 64-bit mode, or a code segment with D=1 (protected or compatibility mode).
enum class CodeMode : u8 { bits64, bits32 };

/// Numbers of general registers, as instructions encode them.
enum Gpr : u8 { kRax, kRcx, kRdx, kRbx, kRsp, kRbp, kRsi, kRdi, kR8, kR9, kR10, kR11, kR12, kR13, kR14, kR15 };
inline constexpr u8 kNoRegister = 0xff;

/// Numbers of segment registers, as instructions encode them.
enum class SegmentName : u8 { es, cs, ss, ds, fs, gs, none };

/// Opcode maps. The first four are legacy ones; VEX and EVEX use 1 to 3 as well, EVEX 5 and 6, XOP 8 to 10.
enum OpcodeMap : u8 { kOneByte = 0, kMap0F = 1, kMap0F38 = 2, kMap0F3A = 3, kMapXopImmediate = 8, kMapXop = 9, kMapXop32 = 10 };

enum class Encoding : u8 { legacy, vex, evex, xop, three_d_now };

inline constexpr u32 kMaxInstructionLength = 15;

struct Instruction {
    CodeMode mode;
    Encoding encoding;
    u8 length;         ///< 1 to 15.
    u8 map, opcode;    ///< OpcodeMap. For 3DNow the opcode is the last byte.
    u8 rex;            ///< 0x40 to 0x4f, or 0; with VEX, EVEX and XOP the same four bits from there, as 0x40 | bits.
    u8 repeat;         ///< 0xf3 or 0xf2, the last that was there, or 0; with VEX and the like what their pp says.
    bool lock, operand_prefix, address_prefix;
    SegmentName segment;  ///< Override that counts; cs, ds, es and ss do not in 64-bit mode.
    u8 opcode_offset;     ///< Where the opcode byte is: behind it come ModRM and the rest.
    bool has_modrm, has_sib;
    u8 modrm, sib;
    u8 displacement_offset, displacement_size;  ///< Also of an absolute address (opcodes a0 to a3).
    u8 immediate_offset, immediate_size;        ///< All immediates together: `enter` and far pointers have two.
    i64 displacement;                           ///< Sign-extended.
    i64 immediate;                              ///< Sign-extended from immediate_size; of two, both as they stand.

    constexpr bool is_legacy(u8 in_map, u8 with_opcode) const {
        return encoding == Encoding::legacy && map == in_map && opcode == with_opcode;
    }
    constexpr bool rex_w() const { return rex & 8; }
    constexpr u8 mod() const { return modrm >> 6; }
    /// The three bits that choose among instructions of a group.
    constexpr u8 extension() const { return modrm >> 3 & 7; }
    constexpr u8 reg() const { return static_cast<u8>((modrm >> 3 & 7) | (rex & 4) << 1); }
    /// The register of an operand with mod() == 3.
    constexpr u8 rm() const { return static_cast<u8>((modrm & 7) | (rex & 1) << 3); }
    /// The register that the low bits of the opcode name (push, pop, mov, bswap, xchg).
    constexpr u8 opcode_register() const { return static_cast<u8>((opcode & 7) | (rex & 1) << 3); }
    constexpr bool has_memory() const { return has_modrm && mod() != 3 && !ignores_mod(); }
    /// Moves to and from control and debug registers know registers only, whatever mod() says.
    constexpr bool ignores_mod() const {
        return encoding == Encoding::legacy && map == kMap0F && opcode >= 0x20 && opcode <= 0x23;
    }

    /// 2, 4 or 8 bytes, for instructions whose operand size is 4 by default.
    constexpr u8 operand_size() const { return rex_w() ? 8 : operand_prefix ? 2 : 4; }
    /// The same for push, pop, near branches and the like: 8 by default in 64-bit mode.
    constexpr u8 stack_operand_size() const {
        if (operand_prefix && !rex_w()) return 2;
        return mode == CodeMode::bits64 ? 8 : 4;
    }
    /// 2, 4 or 8 bytes.
    constexpr u8 address_size() const {
        if (mode == CodeMode::bits64) return address_prefix ? 4 : 8;
        return address_prefix ? 2 : 4;
    }

    constexpr bool is_rip_relative() const {
        return mode == CodeMode::bits64 && has_memory() && mod() == 0 && (modrm & 7) == 5;
    }
    /// Base register of the memory operand, or kNoRegister. Not for 16-bit addresses.
    constexpr u8 base() const {
        if (!has_memory()) return kNoRegister;
        const u8 low = has_sib ? sib & 7 : modrm & 7;
        if (low == 5 && mod() == 0) return kNoRegister;
        return static_cast<u8>(low | (rex & 1) << 3);
    }
    /// Index register, or kNoRegister, of an instruction without a vector of indices.
    constexpr u8 index() const {
        if (!has_memory() || !has_sib) return kNoRegister;
        const u8 number = static_cast<u8>((sib >> 3 & 7) | (rex & 2) << 2);
        return number == kRsp ? kNoRegister : number;
    }
    constexpr u8 scale() const { return has_sib ? sib >> 6 : 0; }
};

}  // namespace tessera::vmm
