// Any bytes as what a guest does to its page tables, and as what it then touches: the shadow must let through nothing that the
// tables did not say, keep tables in sync out of reach, and come to an end (tests/unit/vmm_shadow_world.hpp).
#include <cstring>

#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/vmm_shadow_world.hpp"

namespace tessera::fuzz {

std::vector<std::vector<u8>> seeds() {
    std::vector<std::vector<u8>> made;
    for (u64 seed = 1; seed <= 8; ++seed) {
        test::Random random(seed);
        std::vector<u8>& bytes = made.emplace_back(16 * 60);
        for (u8& byte : bytes) byte = static_cast<u8>(random.next());
    }
    return made;
}

}  // namespace tessera::fuzz

extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size) {
    using namespace tessera;
    if (size < 16) return 0;
    constexpr u64 kMostSteps = 60;
    test::ShadowWorld world(data[0] & 1 ? vmm::kLeastTables : 32, {1u + data[1] % 8, 1u << data[2] % 6});
    std::string wrong;
    for (std::size_t at = 3, steps = 0; at + 16 <= size && steps < kMostSteps; at += 16, ++steps) {
        u64 words[2];
        std::memcpy(words, data + at, sizeof words);
        constexpr u64 indices[] = {0, 1, 2, 511};
        const u64 page = world.pages[words[1] % world.pages.size()];
        switch (words[0] % 8) {
            // An entry with any bits: only the address is made likely to be that of a table.
            case 0: case 1: case 2:
                world.edit(words[0] >> 8 & 15, indices[words[0] >> 12 & 3],
                           words[0] >> 14 & 1 ? words[1] : (words[1] & ~vmm::entry::kAddress) | (words[1] >> 12 & 31) << kPageShift);
                break;
            case 3: world.invalidate(page); break;
            case 4: world.load(words[0] >> 8 & 1, words[0] >> 9 & 1, words[0] >> 10 & 1, words[0] >> 11 & 1); break;
            default:
                wrong = world.check(page, {.write = (words[0] >> 8 & 1) != 0 && !(words[0] >> 9 & 1), .fetch = (words[0] >> 9 & 1) != 0,
                                           .user = (words[0] >> 10 & 1) != 0});
        }
        if (wrong.empty()) wrong = world.problem.empty() ? world.invariant() : world.problem;
        fuzz::expect_kept(wrong.empty() ? nullptr : wrong.c_str());
    }
    return 0;
}
