// The table of sensitive instructions: every sample is what its entry says, and only what is in the table is sensitive.
#include <doctest/doctest.h>

#include <cstring>
#include <set>
#include <string>

#include "libos/vmm/instructions/decoder.hpp"
#include "libos/vmm/instructions/sensitive.hpp"

using namespace tessera;
using namespace tessera::vmm;

namespace {

Sensitive sensitive(std::initializer_list<int> code) {
    u8 bytes[kMaxInstructionLength] = {};
    u32 length = 0;
    for (const int byte : code) bytes[length++] = static_cast<u8>(byte);
    Instruction in;
    REQUIRE(decode(bytes, length, CodeMode::bits64, in) == Decoded::ok);
    REQUIRE(in.length == length);
    return classify(in);
}

}  // namespace

TEST_CASE("every sample of the table is the instruction that its entry names") {
    std::set<std::string> names;
    for (const SensitiveInstruction& entry : sensitive_instructions()) {
        INFO(std::string(entry.name));
        u8 code[32];
        u32 at = 99;
        const u32 length = assemble(entry.sample, code, at);
        REQUIRE(at < length);
        Instruction in;
        REQUIRE(decode(code + at, length - at, CodeMode::bits64, in) == Decoded::ok);
        CHECK(classify(in) == entry.id);
        CHECK(&about(entry.id) == &entry);
        CHECK(names.insert(entry.name).second);
        // What is around it is none, so that the test in ring 3 tests one.
        for (u32 i = 0; i < at;) {
            REQUIRE(decode(code + i, at - i, CodeMode::bits64, in) == Decoded::ok);
            const Sensitive setting_up = classify(in);
            CHECK((setting_up == Sensitive::none || setting_up == Sensitive::mov_from_segment || setting_up == Sensitive::pushf));
            i += in.length;
        }
    }
}

TEST_CASE("what runs silently in ring 3 is replaced, or harmless for a reason") {
    for (const SensitiveInstruction& entry : sensitive_instructions()) {
        INFO(std::string(entry.name));
        const bool may_run = entry.at_cpl3 == AtCpl3::silent || entry.needs == Needs::umip;
        CHECK(may_run == (entry.remedy == Remedy::replace || entry.remedy == Remedy::harmless));
        CHECK((entry.at_cpl3 == AtCpl3::exit) == (entry.remedy == Remedy::exit));
        CHECK(must_be_replaced(entry.id) == (entry.remedy == Remedy::replace));
        CHECK(std::strlen(entry.why) != 0);
    }
    CHECK(!must_be_replaced(Sensitive::none));
}

TEST_CASE("neighbours of sensitive instructions are told from them") {
    CHECK(sensitive({0x0f, 0x01, 0xf8}) == Sensitive::swapgs);
    CHECK(sensitive({0x0f, 0x01, 0x38}) == Sensitive::invlpg);
    CHECK(sensitive({0x0f, 0x01, 0xd5}) == Sensitive::none);                    // xend
    CHECK(sensitive({0x0f, 0xae, 0x00}) == Sensitive::none);                    // fxsave
    CHECK(sensitive({0xf3, 0x0f, 0xae, 0xe8}) == Sensitive::none);              // incsspd
    CHECK(sensitive({0x0f, 0xae, 0xe8}) == Sensitive::none);                    // lfence
    CHECK(sensitive({0x0f, 0xc7, 0x0f}) == Sensitive::none);                    // cmpxchg8b
    CHECK(sensitive({0x0f, 0xc7, 0xf0}) == Sensitive::none);                    // rdrand
    CHECK(sensitive({0xff, 0xd0}) == Sensitive::none);                          // call rax
    CHECK(sensitive({0xff, 0x18}) == Sensitive::far_call);
    CHECK(sensitive({0x48, 0xff, 0x28}) == Sensitive::far_jump);
    CHECK(sensitive({0xc5, 0xf8, 0x77}) == Sensitive::none);                    // vzeroupper
    CHECK(sensitive({0x66, 0x0f, 0x38, 0x00, 0xc0}) == Sensitive::none);        // pshufb
    CHECK(sensitive({0x66, 0x9c}) == Sensitive::pushf);
    CHECK(sensitive({0xf3, 0x48, 0x0f, 0xb8, 0xc0}) == Sensitive::none);        // popcnt
    CHECK(sensitive({0xf3, 0x90}) == Sensitive::none);                          // pause
}
