// What each kind of instruction becomes in the cache.
#include "libos/vmm/instructions/block_writer.hpp"

#include <cstddef>

namespace tessera::vmm {

namespace {

constexpr u8 kThree = kRestoreRax | kRestoreRcx | kRestoreRdx;
constexpr u64 kFlagPlace = offsetof(TranslationPage, interrupt_flag), kLevelPlace = offsetof(TranslationPage, monitors_flags),
              kAttentionPlace = offsetof(TranslationPage, attention), kOtherPlace = offsetof(TranslationPage, other_gs),
              kControlPlace = offsetof(TranslationPage, control), kMaskPlace = offsetof(TranslationTables, flag_mask),
              kTagsPlace = offsetof(TranslationTables, tags), kTargetsPlace = offsetof(TranslationTables, targets);

/// A register that the instruction does not use, to hold the address of its operand: of those with short numbers and no
/// role in any instruction that has ModRM, but for rbx in cmpxchg8b.
u8 spare_register(const u8* bytes, const Instruction& in) {
    u8 other = kNoRegister;  // the third operand of VEX, EVEX and XOP
    if (in.encoding == Encoding::vex || in.encoding == Encoding::xop) other = static_cast<u8>(~bytes[in.opcode_offset - 1] >> 3 & 15);
    if (in.encoding == Encoding::evex) other = static_cast<u8>(~bytes[in.opcode_offset - 2] >> 3 & 15);
    for (const u8 candidate : {kRdi, kRsi, kRbx})
        if (candidate != in.reg() && candidate != other) return candidate;
    return kRbx;
}

/// Where the bit is that extends the base register, in a byte of the instruction; `inverted` as VEX has it.
bool find_base_bit(const Instruction& in, u32& at, u8& bit, bool& inverted, const u8* bytes) {
    inverted = in.encoding != Encoding::legacy;
    switch (in.encoding) {
        case Encoding::legacy:
            at = in.opcode_offset - 1u - in.map;  // map: the number of escape bytes, but for the third
            if (in.map == kMap0F3A) at = in.opcode_offset - 3u;
            bit = 1;
            return in.rex != 0;
        case Encoding::vex:
            at = in.opcode_offset - 2u;
            bit = 0x20;
            return bytes[at] != 0xc5;  // two bytes only: no room for it (and c5 is no second byte of three)
        case Encoding::xop: at = in.opcode_offset - 2u; bit = 0x20; return true;
        case Encoding::evex: at = in.opcode_offset - 3u; bit = 0x20; return true;
        case Encoding::three_d_now: break;
    }
    return false;
}

}  // namespace

BlockWriter::BlockWriter(Translator& translator, u64 guest)
    : translator_(translator),
      out_(translator.memory_.code.data(), translator.memory_.code.size(), translator.layout_.code()),
      begin_(guest),
      guest_(guest),
      first_code_(translator.code_used_),
      first_entry_(translator.entries_used_) {
    out_.set_position(first_code_);
}

void BlockWriter::entry(u64 guest, u16 repairs, u8 base) {
    MapEntry& entry = translator_.memory_.entries[translator_.entries_used_++];
    entry = {guest, static_cast<u32>(out_.position()), static_cast<u16>(repairs | always_), base};
}

Block& BlockWriter::finish(bool findable) {
    Block& block = translator_.memory_.blocks[translator_.blocks_used_++];
    block = {begin_, static_cast<u32>(guest_ - begin_), first_code_, static_cast<u32>(out_.position()), first_entry_,
             translator_.entries_used_ - first_entry_, findable};
    translator_.code_used_ = block.code_end;
    return block;
}

Exit& BlockWriter::leave(Exit::Kind kind, u64 guest) {
    always_ = 0;
    entry(guest);
    const u32 number = translator_.exits_used_++;
    Exit& exit = translator_.memory_.exits[number];
    exit = {kind, false, static_cast<u32>(out_.position()), 0, guest};
    // A trap, and which: five bytes, so that a jump fits in its place.
    out_.byte(0xf4);
    out_.number(number, 4);
    return exit;
}

// ---- ordinary instructions --------------------------------------------------------------------------------

bool BlockWriter::ordinary(const u8* bytes, const Instruction& in) {
    entry(guest_);
    if (!in.is_rip_relative()) {
        out_.bytes(bytes, in.length);
    } else {
        if (in.encoding == Encoding::three_d_now) return false;
        u64 target = guest_ + in.length + static_cast<u64>(in.displacement);
        if (in.address_prefix) target &= 0xffff'ffff;
        if (out_.reaches(target) && !in.address_prefix)
            relocated(bytes, in, target);
        else
            through_register(bytes, in, target);
    }
    advance(in);
    return true;
}

void BlockWriter::relocated(const u8* bytes, const Instruction& in, u64 target) {
    const u32 behind = in.length - in.displacement_offset - 4u;
    out_.bytes(bytes, in.displacement_offset);
    out_.distance(target, behind);
    out_.bytes(bytes + in.displacement_offset + 4, behind);
}

void BlockWriter::through_register(const u8* bytes, const Instruction& in, u64 target) {
    const u8 base = spare_register(bytes, in);
    out_.store(slot(0), base);
    entry(guest_, kRestoreBase, base);
    out_.constant(base, target);
    u32 at = 0;
    u8 bit = 0;
    bool inverted = false;
    const bool extends = find_base_bit(in, at, bit, inverted, bytes);
    const u32 modrm_at = in.displacement_offset - 1u;
    for (u32 i = 0; i < modrm_at; ++i) {
        u8 byte = bytes[i];
        if (extends && i == at) byte = static_cast<u8>(inverted ? byte | bit : byte & ~bit);
        out_.byte(byte);
    }
    out_.byte(static_cast<u8>((in.modrm & 0x38) | base));
    const u32 rest = in.displacement_offset + 4u;
    out_.bytes(bytes + rest, in.length - rest);
    entry(guest_ + in.length, kRestoreBase, base);
    out_.load(base, slot(0));
}

// ---- branches ---------------------------------------------------------------------------------------------

void BlockWriter::branch(const u8* bytes, const Instruction& in, Branch branch) {
    switch (branch) {
        case Branch::jump: leave(Exit::Kind::chain, branch_target(in, guest_)); break;
        case Branch::call: call(in); break;
        case Branch::conditional: conditional(bytes, in); break;
        case Branch::indirect_jump: case Branch::indirect_call: case Branch::near_return: indirect(bytes, in, branch); break;
        case Branch::stop: case Branch::far: case Branch::none:
            // What raises #UD, and what no two CPUs read alike: nobody can have meant it.
            entry(guest_);
            out_.code(0x0f, 0x0b);
            leave(Exit::Kind::chain, guest_);
            break;
    }
    advance(in);
}

void BlockWriter::call(const Instruction& in) {
    const u64 back = guest_ + in.length, target = branch_target(in, guest_);
    entry(guest_);
    if (back < u64{1} << 31) {
        out_.byte(0x68);  // push imm32, sign-extended
        out_.number(back, 4);
    } else {
        out_.store(slot(0), kRax);
        entry(guest_, kRestoreRax);
        out_.constant(kRax, back);
        out_.byte(0x50);  // push rax
        always_ = 0;
        entry(target, kRestoreRax);
        out_.load(kRax, slot(0));
    }
    leave(Exit::Kind::chain, target);
}

/// The same condition over a short distance: past the exit for the other way.
void BlockWriter::conditional(const u8*, const Instruction& in) {
    entry(guest_);
    if (in.map == kMap0F) {
        out_.code(0x70 | (in.opcode & 15), 5);
    } else {
        if (in.address_prefix) out_.byte(0x67);  // LOOP and JCXZ count in ecx then
        out_.code(in.opcode, 5);
    }
    leave(Exit::Kind::chain, guest_ + in.length);
    leave(Exit::Kind::chain, branch_target(in, guest_));
}

/// mov rax, what the branch's operand is
void BlockWriter::load_target(const u8* bytes, const Instruction& in) {
    if (in.opcode != 0xff) {
        out_.code(0x48, 0x8b, 0x04, 0x24);  // a return: [rsp]
        return;
    }
    const auto prefixes = [&] {
        if (in.segment == SegmentName::fs) out_.byte(0x64);
        if (in.segment == SegmentName::gs) out_.byte(0x65);
        if (in.address_prefix) out_.byte(0x67);
    };
    if (in.is_rip_relative()) {
        out_.constant(kRax, guest_ + in.length + static_cast<u64>(in.displacement));
        prefixes();
        out_.code(0x48, 0x8b, 0x00);
        return;
    }
    prefixes();
    out_.code(0x48 | (in.rex & 3), 0x8b, in.modrm & 0xc7);
    const u32 modrm_at = in.opcode_offset + 1u;
    out_.bytes(bytes + modrm_at + 1, in.length - modrm_at - 1u);
}

void BlockWriter::indirect(const u8* bytes, const Instruction& in, Branch branch) {
    entry(guest_);
    out_.store(slot(0), kRax);
    out_.store(slot(1), kRcx);
    out_.store(slot(2), kRdx);
    entry(guest_, kThree);
    load_target(bytes, in);
    out_.code(0x0f, 0xb6, 0xc8);              // movzx ecx, al
    out_.code(0x0f, 0xb6, 0xd4);              // movzx edx, ah
    out_.code(0x8d, 0x0c, 0xd1);              // lea ecx, [rcx + rdx * 8]: TranslationTables::place_of
    out_.address(kRdx, translator_.layout_.tables() + kTagsPlace);
    out_.code(0x48, 0x8d, 0x14, 0xca);        // lea rdx, [rdx + rcx * 8]
    out_.code(0x48, 0x8b, 0x0a);              // mov rcx, [rdx]: the complement of an address
    out_.code(0x48, 0x8d, 0x4c, 0x01, 0x01);  // lea rcx, [rcx + rax + 1]: 0 if it is rax
    out_.code(0xe3, 3 * 7 + 5);               // jrcxz, past the miss
    const auto restore = [this] { out_.load(kRax, slot(0)), out_.load(kRcx, slot(1)), out_.load(kRdx, slot(2)); };
    restore();
    leave(Exit::Kind::branch, guest_);

    entry(guest_, kThree);
    out_.code(0x48, 0x8b, 0x92);  // mov rdx, [rdx + targets]
    out_.number(kTargetsPlace - kTagsPlace, 4);
    out_.store(slot(3), kRdx);
    out_.store(slot(4), kRax);
    if (branch == Branch::indirect_call) {
        out_.constant(kRcx, guest_ + in.length);
        out_.byte(0x51);  // push rcx
    } else if (branch == Branch::near_return) {
        out_.code(0x48, 0x8d, 0xa4, 0x24);  // lea rsp, [rsp + ...]
        out_.number(8 + static_cast<u64>(in.immediate & 0xffff), 4);
    }
    entry(guest_, kThree | kBranched);
    restore();
    out_.jump_through(slot(3));
}

// ---- handlers, inlined ------------------------------------------------------------------------------------

void BlockWriter::inline_cli() {
    entry(guest_);
    out_.store_byte(page(kFlagPlace), 0);
    guest_ += 1;
    leave(Exit::Kind::chain, guest_);
}

bool BlockWriter::inline_sti(const u8* next_bytes, const Instruction& next) {
    entry(guest_);
    out_.store(slot(1), kRcx);
    entry(guest_, kRestoreRcx);
    out_.load_byte(kRcx, page(kAttentionPlace + 2));
    out_.code(0xe3, 7 + 5);
    out_.load(kRcx, slot(1));
    leave(Exit::Kind::emulate, guest_).final = true;
    entry(guest_, kRestoreRcx);
    out_.load(kRcx, slot(1));
    out_.store_byte(page(kFlagPlace), 2);
    guest_ += 1;
    always_ = kShadow;
    const Branch kind = branch_of(next);
    if (kind == Branch::call || kind == Branch::jump || kind == Branch::conditional) {
        branch(next_bytes, next, kind);
        return true;
    }
    if (kind != Branch::none || !ordinary(next_bytes, next)) return false;
    leave(Exit::Kind::chain, guest_);
    return true;
}

/// What GS has goes to the page before what was there goes to GS: then either half can be made once more.
void BlockWriter::inline_swapgs(const Instruction& in) {
    constexpr u8 kTwo = kRestoreRax | kRestoreRcx;
    entry(guest_);
    out_.store(slot(0), kRax);
    out_.store(slot(1), kRcx);
    entry(guest_, kTwo);
    out_.code(0xf3, 0x48, 0x0f, 0xae, 0xc8);  // rdgsbase rax
    out_.load(kRcx, page(kOtherPlace));
    out_.store(page(kOtherPlace), kRax);
    advance(in);
    entry(guest_, kTwo | kSwapped);
    out_.code(0xf3, 0x48, 0x0f, 0xae, 0xd9);  // wrgsbase rcx
    entry(guest_, kTwo);
    out_.load(kRax, slot(0));
    out_.load(kRcx, slot(1));
    leave(Exit::Kind::chain, guest_);
}

void BlockWriter::inline_mov_from_cr(const Instruction& in) {
    entry(guest_);
    const u8 to = in.rm();
    out_.code(0x48 | to >> 3 << 2, 0x8b, 0x05 | (to & 7) << 3);
    out_.distance(page(kControlPlace + 8u * in.reg()));
    advance(in);
    leave(Exit::Kind::chain, guest_);
}

/// The CPU pushes its own flags; in their second byte IF is set, NT and the I/O level 0, which is put right by sums.
void BlockWriter::inline_pushf() {
    constexpr u8 kTwo = kRestoreRax | kRestoreRcx;
    entry(guest_);
    out_.store(slot(0), kRax);
    out_.store(slot(1), kRcx);
    out_.byte(0x9c);
    entry(guest_, kTwo | kUndoPush);
    out_.code(0x0f, 0xb6, 0x44, 0x24, 0x01);  // movzx eax, byte [rsp + 1]
    out_.load_byte(kRcx, page(kFlagPlace));
    out_.code(0x8d, 0x44, 0x08, 0xfe);        // lea eax, [rax + rcx - 2]
    out_.load_byte(kRcx, page(kLevelPlace));
    out_.code(0x8d, 0x04, 0x08);              // lea eax, [rax + rcx]
    out_.code(0x88, 0x44, 0x24, 0x01);        // mov [rsp + 1], al
    out_.load(kRax, slot(0));
    out_.load(kRcx, slot(1));
    guest_ += 1;
    leave(Exit::Kind::chain, guest_);
}

/// The CPU's own POPF leaves IF and the I/O level alone; what the first becomes goes to the page. If that needs the monitor
/// (interrupts on while one waits, a level, NT, single-stepping), it does all of it.
void BlockWriter::inline_popf() {
    constexpr u8 kTwo = kRestoreRax | kRestoreRcx;
    entry(guest_);
    out_.store(slot(0), kRax);
    out_.store(slot(1), kRcx);
    entry(guest_, kTwo);
    out_.code(0x48, 0x8b, 0x04, 0x24);        // mov rax, [rsp]: faults where POPF would
    out_.code(0x0f, 0xb6, 0xc4);              // movzx eax, ah
    out_.address(kRcx, translator_.layout_.tables() + kMaskPlace);
    out_.code(0x0f, 0xb6, 0x04, 0x01);        // movzx eax, byte [rcx + rax]
    out_.address(kRcx, page(kAttentionPlace));
    out_.code(0x0f, 0xb6, 0x0c, 0x01);        // movzx ecx, byte [rcx + rax]
    out_.code(0xe3, 2 * 7 + 5);
    out_.load(kRax, slot(0));
    out_.load(kRcx, slot(1));
    leave(Exit::Kind::emulate, guest_).final = true;
    entry(guest_, kTwo);
    out_.byte(0x9d);
    guest_ += 1;
    entry(guest_, kTwo | kCommitFlags);
    out_.store_al(page(kFlagPlace));
    out_.store_byte(page(kLevelPlace), 0);
    out_.load(kRax, slot(0));
    entry(guest_, kTwo);
    out_.load(kRcx, slot(1));
    leave(Exit::Kind::chain, guest_);
}

}  // namespace tessera::vmm
