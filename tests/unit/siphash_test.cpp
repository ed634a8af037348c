// Is the function behind the tags the one that it is taken for? The answers are those that the authors of
// SipHash published (vectors_sip128: key 00 01 .. 0f, message 00 01 .. n-1).
#include <doctest/doctest.h>
#include <sodium/crypto_shorthash_siphash24.h>

#include <cstdio>
#include <string>

#include "exokernel/abi/types.hpp"

namespace tessera {
namespace {

std::string siphash_of_counting_bytes(u64 length) {
    u8 key[16], message[64], tag[16];
    for (u8 i = 0; i < 16; ++i) key[i] = i;
    for (u8 i = 0; i < 64; ++i) message[i] = i;
    crypto_shorthash_siphashx24(tag, message, length, key);
    std::string text;
    char digits[3];
    for (u8 byte : tag) {
        std::snprintf(digits, sizeof digits, "%02x", byte);
        text += digits;
    }
    return text;
}

TEST_CASE("siphash: libsodium gives the published answers") {
    CHECK(siphash_of_counting_bytes(0) == "a3817f04ba25a8e66df67214c7550293");
    CHECK(siphash_of_counting_bytes(1) == "da87c1d86b99af44347659119b22fc45");
    CHECK(siphash_of_counting_bytes(2) == "8177228da4a45dc7fca38bdef60affe4");
    CHECK(siphash_of_counting_bytes(3) == "9c70b60c5267a94e5f33b6b02985ed51");
    CHECK(siphash_of_counting_bytes(8) == "3b62a9ba6258f5610f83e264f31497b4");
    CHECK(siphash_of_counting_bytes(15) == "5493e99933b0a8117e08ec0f97cfc3d9");
    CHECK(siphash_of_counting_bytes(16) == "6ee2a4ca67b054bbfd3315bf85230577");  // as long as a key's label
    CHECK(siphash_of_counting_bytes(24) == "2db479ae78bd50d8882a8a178a6132ad");  // as long as a caveat
    CHECK(siphash_of_counting_bytes(48) == "f7e5aef549f782cf379055a608269b16");  // as long as what a root signs
    CHECK(siphash_of_counting_bytes(63) == "5150d1772f50834a503e069a973fbd7c");
}

}  // namespace
}  // namespace tessera
