// Any bytes as what the boot loader says.
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/multiboot2_samples.hpp"
#include "tests/unit/promises.hpp"

namespace tessera::fuzz {

std::vector<std::vector<u8>> seeds() {
    test::BootSample overlapping;
    overlapping.memory_map({{0, 0x10'0000, 1}, {0x10'0000, 0x10'0000, 1}, {0x20'0000, 0x10'0000, 2}});
    overlapping.module(0x1000, 0x2000, "a").module(0x1800, 0x3000, "b").module(0xf'f000, 0x10'1000, "c");
    return {test::good_boot().bytes(), overlapping.end().bytes()};
}

}  // namespace tessera::fuzz

extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size) {
    const auto info = tessera::kernel::parse_multiboot2({data, size});
    tessera::fuzz::expect_kept(tessera::test::broken_promise(info, {data, size}));
    return 0;
}
