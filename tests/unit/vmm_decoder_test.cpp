// The decoder against Zydis: the same length wherever Zydis knows an instruction, never `invalid` where it does, and
// the same parts. Over the code of this very program, over random bytes, and over bytes that look like code.
#include <doctest/doctest.h>

#include <Zydis/Zydis.h>
#include <elf.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "libos/vmm/instructions/decoder.hpp"
#include "tests/unit/random.hpp"

using namespace tessera;
using namespace tessera::vmm;
using tessera::test::Random;

namespace {

class Reference {
  public:
    explicit Reference(CodeMode mode) {
        const bool is64 = mode == CodeMode::bits64;
        REQUIRE(ZYAN_SUCCESS(ZydisDecoderInit(&decoder_, is64 ? ZYDIS_MACHINE_MODE_LONG_64 : ZYDIS_MACHINE_MODE_LONG_COMPAT_32,
                                              is64 ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32)));
    }
    bool decode(const u8* bytes, u64 length, ZydisDecodedInstruction& out) const {
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder_, nullptr, bytes, length, &out))) return false;
        // Knights Corner alone had vector instructions where every other CPU has none.
        return std::strncmp(ZydisISAExtGetString(out.meta.isa_ext), "KNC", 3) != 0 && out.encoding != ZYDIS_INSTRUCTION_ENCODING_MVEX;
    }

  private:
    ZydisDecoder decoder_;
};

void print_bytes(const char* what, const u8* bytes) {
    char text[64];
    for (u32 i = 0; i < kMaxInstructionLength; ++i) std::snprintf(text + 3 * i, 4, "%02x ", bytes[i]);
    MESSAGE(std::string(what) << ": " << std::string(text));
}

/// Null, or what the two disagree about.
const char* difference(const Instruction& in, const ZydisDecodedInstruction& reference) {
    if (in.length != reference.length) return "length";
    if (in.encoding != Encoding::three_d_now && in.opcode != reference.opcode) return "opcode";
    if (in.has_modrm != ((reference.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0)) return "has ModRM";
    if (in.has_modrm && in.modrm != ((reference.raw.modrm.mod << 6) | (reference.raw.modrm.reg << 3) | reference.raw.modrm.rm))
        return "ModRM";
    if (in.has_sib != ((reference.attributes & ZYDIS_ATTRIB_HAS_SIB) != 0)) return "has SIB";
    if (in.displacement_size * 8 != reference.raw.disp.size) return "displacement's size";
    if (in.displacement_size && in.displacement_offset != reference.raw.disp.offset) return "displacement's offset";
    // Zydis gives the unscaled displacement too, but has it scaled for EVEX where the scale is known.
    if (in.displacement_size && in.encoding != Encoding::evex && in.displacement != reference.raw.disp.value) return "displacement";
    const u32 immediates = reference.raw.imm[0].size + reference.raw.imm[1].size;
    if (in.immediate_size * 8u != immediates) return "immediate's size";
    if (immediates && in.immediate_offset != reference.raw.imm[0].offset) return "immediate's offset";
    if (immediates && !reference.raw.imm[1].size && reference.raw.imm[0].is_signed && in.immediate != reference.raw.imm[0].value.s)
        return "immediate";
    if (in.encoding == Encoding::legacy && in.rex_w() != ((reference.raw.rex.W & 1) != 0)) return "REX.W";
    return nullptr;
}

struct Count {
    u64 compared = 0, refused_by_both = 0, wrong = 0;
};

/// Decode with both. Returns how far to go.
u64 compare(const Reference& reference, CodeMode mode, const u8* bytes, u64 available, Count& count) {
    Instruction in;
    ZydisDecodedInstruction expected;
    const Decoded answer = decode(bytes, available, mode, in);
    if (!reference.decode(bytes, available, expected)) {
        count.refused_by_both += answer != Decoded::ok;
        return answer == Decoded::ok ? in.length : 1;
    }
    ++count.compared;
    const char* problem = answer != Decoded::ok ? "refused what Zydis knows" : difference(in, expected);
    if (problem && ++count.wrong <= 20) {
        u8 shown[kMaxInstructionLength] = {};
        std::memcpy(shown, bytes, available < sizeof shown ? available : sizeof shown);
        print_bytes(problem, shown);
    }
    return expected.length;
}

/// The executable segments of this program: some megabytes of what compilers and assembly authors write.
std::vector<std::vector<u8>> own_code() {
    std::ifstream file("/proc/self/exe", std::ios::binary);
    const std::vector<u8> image((std::istreambuf_iterator<char>(file)), {});
    Elf64_Ehdr header;
    REQUIRE(image.size() > sizeof header);
    std::memcpy(&header, image.data(), sizeof header);
    std::vector<std::vector<u8>> found;
    for (u64 i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        std::memcpy(&segment, image.data() + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_X)) continue;
        found.emplace_back(image.begin() + static_cast<long>(segment.p_offset),
                           image.begin() + static_cast<long>(segment.p_offset + segment.p_filesz));
    }
    return found;
}

}  // namespace

TEST_CASE("the decoder and Zydis agree about real code") {
    const Reference reference(CodeMode::bits64);
    Count count;
    for (const auto& code : own_code())
        for (u64 at = 0; at < code.size();) at += compare(reference, CodeMode::bits64, code.data() + at, code.size() - at, count);
    CHECK(count.wrong == 0);
    CHECK(count.compared > 100'000);
    MESSAGE("instructions compared: " << count.compared);
}

TEST_CASE("the decoder and Zydis agree about random bytes") {
    for (const CodeMode mode : {CodeMode::bits64, CodeMode::bits32}) {
        const Reference reference(mode);
        Random random(mode == CodeMode::bits64 ? 1 : 2);
        Count count;
        constexpr u8 kFavourites[] = {0x0f, 0x66, 0xf2, 0xf3, 0x48, 0x4f, 0x67, 0x62, 0xc4, 0xc5, 0x8f, 0x38, 0x3a, 0x00, 0x05, 0x24, 0x84};
        for (u64 round = 0; round < 1'000'000; ++round) {
            u8 bytes[24];
            for (u8& byte : bytes) byte = static_cast<u8>(random.next());
            // Start with what leads deeper into the maps than chance would.
            for (u64 i = random.below(5); i-- > 0;) bytes[i] = kFavourites[random.below(sizeof kFavourites)];
            compare(reference, mode, bytes, 1 + random.below(sizeof bytes), count);
        }
        CHECK(count.wrong == 0);
        CHECK(count.compared > 100'000);
        CHECK(count.refused_by_both > 10'000);
    }
}

TEST_CASE("the decoder never looks behind what it was given, nor takes more than fifteen bytes") {
    Random random(3);
    for (u64 round = 0; round < 200'000; ++round) {
        const u64 available = random.below(20);
        // Of the exact size, on the heap: the sanitizer sees a look behind it.
        std::vector<u8> bytes(available);
        for (u8& byte : bytes) byte = static_cast<u8>(random.one_in(3) ? 0x66 : random.next());
        Instruction in;
        const Decoded answer = decode(bytes.data(), available, CodeMode::bits64, in);
        if (answer != Decoded::ok) continue;
        REQUIRE(in.length >= 1);
        REQUIRE(in.length <= available);
        REQUIRE(in.length <= kMaxInstructionLength);
        // One byte less is too few, whatever the bytes are: no length is guessed.
        REQUIRE(decode(bytes.data(), in.length - 1u, CodeMode::bits64, in) == Decoded::truncated);
    }
    const std::vector<u8> prefixes(32, 0x66);
    Instruction in;
    CHECK(decode(prefixes.data(), prefixes.size(), CodeMode::bits64, in) == Decoded::too_long);
    CHECK(decode(prefixes.data(), 15, CodeMode::bits64, in) == Decoded::too_long);
    CHECK(decode(prefixes.data(), 14, CodeMode::bits64, in) == Decoded::truncated);
}
