// A sequence while it is made: bytes, and where each instruction begins, which is where a fault handler can go on.
#pragma once

#include <initializer_list>

#include "guests/differ/layout.hpp"

namespace differ {

enum Register : u8 { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 };
/// Which never change while a sequence runs: the data page, and the page table that maps the area.
inline constexpr Register kDataBase = r13, kTableBase = r14;

class Code {
  public:
    static constexpr u64 kMost = kSlot - 32, kMostInstructions = 160;

    /// At `bytes`, kSlot of them, which will be executed at `address`.
    void begin(u8* bytes, u64 address) { bytes_ = bytes, address_ = address, size_ = 0, count_ = 0; }
    u64 size() const { return size_; }
    u64 address() const { return address_; }
    u64 count() const { return count_; }
    u64 start_of(u64 index) const { return starts_[index]; }
    bool room(u64 bytes = 96) const { return size_ + bytes <= kMost && count_ + 24 <= kMostInstructions; }
    const u8* bytes() const { return bytes_; }

    /// One instruction, whole.
    void add(std::initializer_list<u8> bytes) {
        start();
        for (u8 each : bytes) put(each, 1);
    }
    void add(std::initializer_list<u8> bytes, u64 value, u64 value_size) {
        add(bytes);
        put(value, value_size);
    }
    void load(Register to, u64 value) { add({static_cast<u8>(0x48 | to >> 3), static_cast<u8>(0xb8 | (to & 7))}, value, 8); }
    /// [base + offset] with `reg`, as operand of the opcode; prefixes before REX first.
    void memory(std::initializer_list<u8> opcode, u8 reg, Register base, u64 offset, bool wide = true, u8 prefix = 0) {
        start();
        if (prefix != 0) put(prefix, 1);
        put(u64{0x40} | (wide ? 8 : 0) | (reg >> 3) << 2 | base >> 3, 1);
        for (u8 each : opcode) put(each, 1);
        put(u64{0x80} | (reg & 7) << 3 | (base & 7), 1);
        put(offset, 4);
    }
    /// Two registers: `rm` is what ModRM names last.
    void registers(std::initializer_list<u8> opcode, u8 reg, u8 rm, bool wide = true, u8 prefix = 0) {
        start();
        if (prefix != 0) put(prefix, 1);
        put(u64{0x40} | (wide ? 8 : 0) | (reg >> 3) << 2 | rm >> 3, 1);
        for (u8 each : opcode) put(each, 1);
        put(u64{0xc0} | (reg & 7) << 3 | (rm & 7), 1);
    }
    void append(u64 value, u64 size) { put(value, size); }

    /// A forward branch: its displacement of `size` bytes was the last thing added, and is set by `land`.
    u64 mark() const { return size_; }
    void land(u64 mark, u64 size) {
        const u64 distance = size_ - mark;
        for (u64 i = 0; i < size; ++i) bytes_[mark - size + i] = static_cast<u8>(distance >> 8 * i);
    }
    /// The address behind what there is, plus `ahead`.
    u64 here(u64 ahead = 0) const { return address_ + size_ + ahead; }

  private:
    void start() { starts_[count_++] = static_cast<u16>(size_); }
    void put(u64 value, u64 size) {
        for (u64 i = 0; i < size; ++i) bytes_[size_++] = static_cast<u8>(value >> 8 * i);
    }

    u8* bytes_ = nullptr;
    u64 address_ = 0, size_ = 0, count_ = 0;
    u16 starts_[kMostInstructions];
};

}  // namespace differ
