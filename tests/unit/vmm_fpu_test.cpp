// Instructions of the FPU's by kind, and what CR0 and CR4 say about each.
#include <doctest/doctest.h>

#include <initializer_list>
#include <string_view>

#include "libos/vmm/instructions/decoder.hpp"
#include "libos/vmm/instructions/fpu.hpp"

using namespace tessera;
using namespace tessera::vmm;

namespace {

FpuKind kind_of(std::initializer_list<u8> bytes) {
    Instruction in;
    REQUIRE(decode(bytes.begin(), bytes.size(), CodeMode::bits64, in) == Decoded::ok);
    REQUIRE(in.length == bytes.size());
    return fpu_kind(in);
}

/// What a CPU with these bits says to each kind: x87, WAIT, save and restore, MMX, SSE. '-': it runs.
std::string_view answers(u64 cr0, u64 cr4) {
    VirtualCpu cpu = make_long_mode_cpu(kSmallModel, 0, 0);
    cpu.cr0 |= cr0;
    cpu.cr4 |= cr4;
    static char text[6];
    bool all = true;
    for (u32 i = 0; i < 5; ++i) {
        const auto refusal = fpu_refusal(cpu, static_cast<FpuKind>(i));
        text[i] = !refusal ? '-' : *refusal == kDeviceMissing ? 'N' : *refusal == kInvalidOpcode ? 'U' : '?';
        all &= !refusal;
    }
    // Open is what nothing is refused by, and CR0.MP alone closes nothing.
    CHECK(fpu_is_open(cpu) == all);
    return text;
}

}  // namespace

TEST_CASE("the fpu's instructions are told apart by what they ask of the control registers") {
    for (const auto& code : {std::initializer_list<u8>{0xd9, 0xd0}, {0xdf, 0xe0}, {0xdb, 0xe3}, {0xd9, 0x38}, {0xdd, 0x20}, {0x48, 0xdf, 0x28}})
        CHECK(kind_of(code) == FpuKind::x87);
    CHECK(kind_of({0x9b}) == FpuKind::wait);
    for (const auto& code : {std::initializer_list<u8>{0x0f, 0xae, 0x00}, {0x48, 0x0f, 0xae, 0x08}}) CHECK(kind_of(code) == FpuKind::state);
    for (const auto& code : {std::initializer_list<u8>{0x0f, 0x77}, {0x0f, 0x6e, 0xc0}, {0x0f, 0xef, 0xc0}, {0x0f, 0x7f, 0x00}, {0x0f, 0x70, 0xc0, 1},
                             {0x0f, 0x38, 0x00, 0xc0}, {0x0f, 0x38, 0x1c, 0xc0}, {0x0f, 0x3a, 0x0f, 0xc0, 1}, {0x0f, 0xd7, 0xc0}, {0x0f, 0x0f, 0xc0, 0x9e}})
        CHECK(kind_of(code) == FpuKind::mmx);
    for (const auto& code : {std::initializer_list<u8>{0x66, 0x0f, 0xef, 0xc0}, {0x0f, 0x28, 0xc1}, {0xf3, 0x0f, 0x7e, 0xc0}, {0xf2, 0x0f, 0xd6, 0xc0},
                             {0x0f, 0x2a, 0xc0}, {0x0f, 0xae, 0x10}, {0x0f, 0xae, 0x18}, {0x66, 0x0f, 0x38, 0x00, 0xc0}, {0x66, 0x0f, 0x3a, 0x0f, 0xc0, 1},
                             {0x0f, 0x38, 0xc8, 0xc1}, {0x0f, 0xc2, 0xc1, 0}})
        CHECK(kind_of(code) == FpuKind::sse);
}

TEST_CASE("each kind of the fpu's instructions is refused as the manual says") {
    using namespace cr0;
    CHECK(answers(0, cr4::kFxsave) == "-----");
    CHECK(answers(kMonitor, cr4::kFxsave) == "-----");
    CHECK(answers(0, 0) == "----U");
    CHECK(answers(kSwitched, cr4::kFxsave) == "N-NNN");
    CHECK(answers(kSwitched | kMonitor, cr4::kFxsave) == "NNNNN");
    CHECK(answers(kSwitched | kMonitor, 0) == "NNNNU");
    CHECK(answers(kEmulate, cr4::kFxsave) == "N-NUU");
    CHECK(answers(kEmulate | kSwitched, cr4::kFxsave) == "N-NUU");
    CHECK(answers(kEmulate | kSwitched | kMonitor, 0) == "NNNUU");
}
