// Writes machine code into the translation cache, and the instructions that translations are made of.
//
// None of them changes a flag: what a translation adds between the guest's own instructions must not show. So it is
// MOV, MOVZX, LEA, PUSH and JRCXZ only; a comparison is a LEA and a JRCXZ.
#pragma once

#include "libos/vmm/instructions/instruction.hpp"

namespace tessera::vmm {

class Emitter {
  public:
    /// `code`: where it is written; `address`: where the guest sees it.
    Emitter(u8* code, u64 size, u64 address) : code_(code), size_(size), address_(address) {}

    u64 position() const { return position_; }
    void set_position(u64 position) { position_ = position; }
    u64 here() const { return address_ + position_; }

    void byte(u8 value) {
        if (position_ < size_) code_[position_] = value;
        ++position_;
    }
    void bytes(const u8* from, u64 count) {
        for (u64 i = 0; i < count; ++i) byte(from[i]);
    }
    template <class... Values>
    void code(Values... values) {
        (byte(static_cast<u8>(values)), ...);
    }
    void number(u64 value, u32 size) {
        for (u32 i = 0; i < size; ++i) byte(static_cast<u8>(value >> 8 * i));
    }
    /// A 32-bit distance to `target`, with `behind` bytes of the instruction still to come.
    void distance(u64 target, u32 behind = 0) { number(target - (here() + 4 + behind), 4); }
    /// Can such a distance reach it from about here?
    bool reaches(u64 target) const {
        const i64 away = static_cast<i64>(target - here());
        return away < (i64{1} << 31) - 64 && away > -(i64{1} << 31) + 64;
    }

    void jump(u64 target) { byte(0xe9), distance(target); }
    void store(u64 target, u8 gpr) { code(0x48, 0x89, 0x05 | gpr << 3), distance(target); }       ///< mov [target], gpr
    void load(u8 gpr, u64 target) { code(0x48, 0x8b, 0x05 | gpr << 3), distance(target); }        ///< mov gpr, [target]
    void load_byte(u8 gpr, u64 target) { code(0x0f, 0xb6, 0x05 | gpr << 3), distance(target); }   ///< movzx gpr32, byte [target]
    void store_byte(u64 target, u8 value) { code(0xc6, 0x05), distance(target, 1), byte(value); } ///< mov byte [target], value
    void store_al(u64 target) { code(0x88, 0x05), distance(target); }                             ///< mov [target], al
    void address(u8 gpr, u64 target) { code(0x48, 0x8d, 0x05 | gpr << 3), distance(target); }     ///< lea gpr, [target]
    void constant(u8 gpr, u64 value) { code(0x48, 0xb8 | gpr), number(value, 8); }                ///< mov gpr, value
    void jump_through(u64 target) { code(0xff, 0x25), distance(target); }                         ///< jmp [target]

  private:
    u8* code_;
    u64 size_;
    u64 address_;
    u64 position_ = 0;
};

}  // namespace tessera::vmm
