// Prefixes, then an opcode in some map, then what the map's table says follows it.
#include "libos/vmm/instructions/decoder.hpp"

namespace tessera::vmm {

namespace {

// What follows an opcode, one letter each:
//   .  nothing                     m  ModRM                       x  no instruction
//   b  8-bit immediate             M  ModRM, 8-bit immediate      d  32-bit mode only: as .
//   z  immediate, at most 32 bits  Z  ModRM, at most 32 bits      D  32-bit mode only: as b
//   v  immediate, up to 64 bits    j  8-bit distance              f  32-bit mode only: far pointer
//   w  16-bit immediate            J  distance, 32 bits           n  32-bit mode only: as M
//   e  16 and 8 bits               o  absolute address            r  ModRM that names registers only
//   g  ModRM; 8-bit immediate if it is `test` (group 3)           G  the same, at most 32 bits
//   p  a prefix or escape: seen to before the table is asked      s  SSE4a: ModRM, two bytes if 66 or F2
//   t  8f: ModRM, `pop` only                                      y  c6, c7: ModRM, immediate; `mov`, `xabort`, `xbegin`
constexpr char kOneByteTable[257] =
    "mmmmbzddmmmmbzdp"  // 00
    "mmmmbzddmmmmbzdd"  // 10
    "mmmmbzpdmmmmbzpd"  // 20
    "mmmmbzpdmmmmbzpd"  // 30
    "................"  // 40: in 64-bit mode REX
    "................"  // 50
    "ddpmppppzZbM...."  // 60
    "jjjjjjjjjjjjjjjj"  // 70
    "MZnMmmmmmmmmmmmt"  // 80
    "..........f....."  // 90
    "oooo....bz......"  // a0
    "bbbbbbbbvvvvvvvv"  // b0
    "MMw.ppyZe.w..bd."  // c0
    "mmmmDDd.mmmmmmmm"  // d0
    "jjjjbbbbJJfj...."  // e0
    "p.pp..gG......mm";  // f0

constexpr char kTable0F[257] =
    "mmmmx.....x.xm.p"  // 00
    "mmmmmmmmmmmmmmmm"  // 10
    "rrrrxxxxmmmmmmmm"  // 20
    "......x.pxpxxxxx"  // 30
    "mmmmmmmmmmmmmmmm"  // 40
    "mmmmmmmmmmmmmmmm"  // 50
    "mmmmmmmmmmmmmmmm"  // 60
    "MMMMmmm.smxxmmmm"  // 70
    "JJJJJJJJJJJJJJJJ"  // 80
    "mmmmmmmmmmmmmmmm"  // 90
    "...mMmmm...mMmmm"  // a0
    "mmmmmmmmmmMmmmmm"  // b0
    "mmMmMMMm........"  // c0
    "mmmmmmmmmmmmmmmm"  // d0
    "mmmmmmmmmmmmmmmm"  // e0
    "mmmmmmmmmmmmmmmm";  // f0

/// Reads forward over the bytes; a look behind them, or behind the fifteenth, is remembered instead.
class Reader {
  public:
    Reader(const u8* bytes, u64 available) : bytes_(bytes), available_(available) {}

    u8 peek() {
        if (position_ < available_ && position_ < kMaxInstructionLength) return bytes_[position_];
        if (problem_ == Decoded::ok) problem_ = position_ >= kMaxInstructionLength ? Decoded::too_long : Decoded::truncated;
        return 0;
    }
    u8 next() {
        const u8 byte = peek();
        ++position_;
        return byte;
    }
    /// Little-endian, sign-extended.  size: 0 to 8
    i64 number(u32 size) {
        u64 value = 0;
        for (u32 i = 0; i < size; ++i) value |= u64{next()} << (8 * i);
        if (size == 0 || size >= 8) return static_cast<i64>(value);
        const u32 unused = 64 - 8 * size;
        return static_cast<i64>(value << unused) >> unused;
    }
    u8 position() const { return static_cast<u8>(position_); }
    Decoded problem() const { return problem_; }
    bool good() const { return problem_ == Decoded::ok; }

  private:
    const u8* bytes_;
    u64 available_;
    u32 position_ = 0;
    Decoded problem_ = Decoded::ok;
};

class Decoder {
  public:
    Decoder(Reader& reader, Instruction& in) : reader_(reader), in_(in) {}

    Decoded run() {
        read_prefixes();
        in_.opcode_offset = reader_.position();
        in_.opcode = reader_.next();
        const char shape = escape();
        if (reader_.good() && (shape == 'x' || !follow(shape))) return Decoded::invalid;
        in_.length = reader_.position();
        return reader_.problem();
    }

  private:
    bool is64() const { return in_.mode == CodeMode::bits64; }

    /// Legacy prefixes in any order and number; of REX only the one straight before the opcode counts.
    void read_prefixes() {
        for (;; reader_.next()) {
            const u8 byte = reader_.peek();
            if (!reader_.good()) return;
            if (is64() && (byte & 0xf0) == 0x40) {
                in_.rex = byte;
                continue;
            }
            switch (byte) {
                case 0x26: case 0x2e: case 0x36: case 0x3e:
                    if (!is64()) in_.segment = static_cast<SegmentName>(byte >> 3 & 3);
                    break;
                case 0x64: in_.segment = SegmentName::fs; break;
                case 0x65: in_.segment = SegmentName::gs; break;
                case 0x66: in_.operand_prefix = true; break;
                case 0x67: in_.address_prefix = true; break;
                case 0xf0: in_.lock = true; break;
                case 0xf2: case 0xf3: in_.repeat = byte; break;
                default: return;
            }
            in_.rex = 0;
        }
    }

    /// Find the map. Returns the letter of what follows the opcode.
    char escape() {
        const u8 first = in_.opcode;
        if (first == 0x0f) return escape_0f();
        if (first == 0xc4 || first == 0xc5 || first == 0x62) {
            // In 32-bit mode they are les, lds and bound unless the next byte could only be a register there.
            if (is64() || (reader_.peek() & 0xc0) == 0xc0) return first == 0x62 ? evex() : vex(first == 0xc4);
            return 'm';
        }
        if (first == 0x8f && (reader_.peek() & 0x1f) >= 8) return xop();
        return kOneByteTable[first];
    }

    char escape_0f() {
        in_.map = kMap0F;
        take_opcode();
        if (in_.opcode == 0x38 || in_.opcode == 0x3a) {
            in_.map = in_.opcode == 0x38 ? kMap0F38 : kMap0F3A;
            take_opcode();
            return in_.map == kMap0F38 ? 'm' : 'M';
        }
        if (in_.opcode == 0x0f) {
            in_.encoding = Encoding::three_d_now;
            return 'M';
        }
        return kTable0F[in_.opcode];
    }

    void take_opcode() {
        in_.opcode_offset = reader_.position();
        in_.opcode = reader_.next();
    }

    /// These say themselves what prefixes say otherwise, and forbid those.
    bool prefixed() const { return in_.rex || in_.repeat || in_.operand_prefix || in_.lock; }

    /// R, X and B are inverted in the bits 7 to 5; `w` and `pp` as in VEX.
    void set_implied(u8 inverted_rxb, bool w, u8 pp) {
        in_.rex = static_cast<u8>(0x40 | (w ? 8 : 0) | (is64() ? ~inverted_rxb >> 5 & 7 : 0));
        in_.operand_prefix = pp == 1;
        in_.repeat = pp == 2 ? 0xf3 : pp == 3 ? 0xf2 : 0;
    }

    char vex(bool three_bytes) {
        const bool spoilt = prefixed();
        in_.encoding = Encoding::vex;
        const u8 first = reader_.next();
        const u8 last = three_bytes ? reader_.next() : first;
        in_.map = three_bytes ? first & 0x1f : kMap0F;
        set_implied(three_bytes ? first : first | 0x60, three_bytes && last & 0x80, last & 3);
        take_opcode();
        return spoilt ? 'x' : vector_shape(in_.opcode != 0x77);
    }

    char evex() {
        const bool spoilt = prefixed();
        in_.encoding = Encoding::evex;
        const u8 first = reader_.next(), second = reader_.next();
        reader_.next();
        in_.map = first & 7;
        set_implied(first, second & 0x80, second & 3);
        take_opcode();
        const bool reserved = first & 8 || !(second & 4);
        return spoilt || reserved ? 'x' : vector_shape(true);
    }

    char xop() {
        const bool spoilt = prefixed();
        in_.encoding = Encoding::xop;
        const u8 first = reader_.next(), second = reader_.next();
        in_.map = first & 0x1f;
        set_implied(first, second & 0x80, second & 3);
        take_opcode();
        if (spoilt) return 'x';
        return in_.map == kMapXopImmediate ? 'M' : in_.map == kMapXop ? 'm' : in_.map == kMapXop32 ? 'Z' : 'x';
    }

    char vector_shape(bool has_modrm) const {
        switch (in_.map) {
            case kMap0F: {
                if (!has_modrm) return '.';
                const u8 op = in_.opcode;
                return (op >= 0x70 && op <= 0x73) || op == 0xc2 || (op >= 0xc4 && op <= 0xc6) ? 'M' : 'm';
            }
            case kMap0F38: return 'm';
            case kMap0F3A: return 'M';
            case 5: case 6: return in_.encoding == Encoding::evex ? 'm' : 'x';  // AVX512-FP16
            default: return 'x';
        }
    }

    /// At most 32 bits, by operand size.
    u32 size_z() const { return in_.operand_size() == 2 ? 2 : 4; }

    /// Read what `shape` says. False: no instruction.
    bool follow(char shape) {
        switch (shape) {
            case '.': case 'p': break;
            case 'd': return !is64();
            case 'm': read_modrm(); break;
            case 'r': take_modrm(); break;
            case 't': read_modrm(); return in_.extension() == 0;
            case 's': follow_sse4a(); break;
            case 'b': case 'j': immediate(1); break;
            case 'w': immediate(2); break;
            case 'e': immediate(3); break;
            case 'z': immediate(size_z()); break;
            case 'v': immediate(in_.operand_size()); break;
            case 'J': immediate(is64() ? 4 : size_z()); break;
            case 'o': absolute(); break;
            case 'D': immediate(1); return !is64();
            case 'f': immediate(size_z() + 2); return !is64();
            case 'n': read_modrm(); immediate(1); return !is64();
            case 'M': read_modrm(); immediate(1); follow_3dnow(); break;
            case 'Z': read_modrm(); immediate(in_.encoding == Encoding::xop ? 4 : size_z()); return is_group_11();
            case 'y': read_modrm(); immediate(1); return is_group_11();
            case 'g': read_modrm(); if (in_.extension() < 2) immediate(1); break;
            case 'G': read_modrm(); if (in_.extension() < 2) immediate(size_z()); break;
            default: return false;
        }
        return true;
    }

    /// c6 and c7 are `mov`, and in two places transactions; nothing else.
    bool is_group_11() const {
        if (in_.encoding != Encoding::legacy || (in_.opcode != 0xc6 && in_.opcode != 0xc7)) return true;
        return in_.extension() == 0 || in_.modrm == 0xf8;
    }

    /// The opcode comes last.
    void follow_3dnow() {
        if (in_.encoding != Encoding::three_d_now) return;
        in_.opcode = static_cast<u8>(in_.immediate);
        in_.opcode_offset = in_.immediate_offset;
        in_.immediate_size = 0;
    }

    void follow_sse4a() {
        take_modrm();
        if (in_.operand_prefix || in_.repeat == 0xf2)
            immediate(2);
        else
            read_address();
    }

    void take_modrm() {
        in_.has_modrm = true;
        in_.modrm = reader_.next();
    }

    void read_modrm() {
        take_modrm();
        read_address();
    }

    void read_address() {
        if (in_.mod() == 3) return;
        const u8 mod = in_.mod(), rm = in_.modrm & 7;
        if (in_.address_size() == 2) {
            displacement(mod == 1 ? 1 : mod == 2 || rm == 6 ? 2 : 0);
            return;
        }
        in_.has_sib = rm == 4;
        if (in_.has_sib) in_.sib = reader_.next();
        const bool no_base = mod == 0 && (in_.has_sib ? in_.sib & 7 : rm) == 5;
        displacement(mod == 1 ? 1 : mod == 2 || no_base ? 4 : 0);
    }

    void displacement(u32 size) {
        in_.displacement_offset = reader_.position();
        in_.displacement_size = static_cast<u8>(size);
        in_.displacement = reader_.number(size);
    }

    void absolute() { displacement(in_.address_size()); }

    void immediate(u32 size) {
        in_.immediate_offset = reader_.position();
        in_.immediate_size = static_cast<u8>(size);
        in_.immediate = reader_.number(size);
    }

    Reader& reader_;
    Instruction& in_;
};

}  // namespace

Decoded decode(const u8* bytes, u64 available, CodeMode mode, Instruction& out) {
    out = {};
    out.mode = mode;
    out.segment = SegmentName::none;
    Reader reader(bytes, available);
    return Decoder(reader, out).run();
}

}  // namespace tessera::vmm
