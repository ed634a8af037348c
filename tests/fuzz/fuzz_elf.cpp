// Any file as a program image.
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/elf_samples.hpp"
#include "tests/unit/promises.hpp"

namespace tessera::fuzz {

std::vector<std::vector<u8>> seeds() {
    test::ElfSample high = test::good_elf();
    high.segments[2].address = (kUserPages << kPageShift) - 0x6000;
    test::ElfSample many = test::good_elf();
    for (u64 i = 0; i < 20; ++i) many.segments.push_back({.address = 0x60'0000 + i * 0x1000});
    return {test::good_elf().bytes(), high.bytes(), many.bytes()};
}

}  // namespace tessera::fuzz

extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size) {
    const tessera::kernel::ElfResult result = tessera::kernel::parse_elf({data, size});
    if (!result.problem) tessera::fuzz::expect_kept(tessera::test::broken_promise(result.image, size));
    return 0;
}
