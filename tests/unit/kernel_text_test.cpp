// Text in a fixed buffer: numbers and words as they should look, and never a byte behind the end.
#include <doctest/doctest.h>

#include <string>

#include "exokernel/core/text.hpp"
#include "tests/unit/random.hpp"

namespace tessera::kernel {
namespace {

TEST_CASE("what text is made of") {
    CHECK(Text<64>("a", u64{0}, ' ', u32{7}, " ", Hex{0xbeef}, " ", true, " ", -3).view() == "a0 7 0xbeef true 0");
    CHECK(Text<64>(~u64{0}).view() == "18446744073709551615");
    CHECK(Text<64>(Hex{~u64{0}}).view() == "0xffffffffffffffff");
    CHECK(Text<64>().view().empty());
}

TEST_CASE("too much is cut off, at every length") {
    Text<8> text("0123456");
    CHECK(text.add("789").view() == "01234567");
    CHECK(text.add('x').view() == "01234567");
    CHECK(text.add(u64{5}).view() == "01234567");
    CHECK(Text<3>(u64{1234}).view().empty());  // half a number would be a wrong one
    CHECK(Text<1>("").view().empty());
}

TEST_CASE("random pieces against std::string") {
    test::Random random(7);
    for (u64 round = 0; round < 500; ++round) {
        Text<40> text;
        std::string model;
        for (u64 piece = 0; piece < 12; ++piece) {
            const std::string word(random.below(9), static_cast<char>('a' + random.below(26)));
            const u64 number = random.next() >> random.below(64);
            if (random.one_in(2)) {
                text.add(std::string_view{word});
                model = (model + word).substr(0, 40);
            } else {
                text.add(number);
                if (const std::string digits = std::to_string(number); model.size() + digits.size() <= 40) model += digits;
            }
            REQUIRE(text.view() == model);
        }
    }
}

}  // namespace
}  // namespace tessera::kernel
