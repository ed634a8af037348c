// Any text behind the kernel's and a module's name.
#include <string>

#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/promises.hpp"

namespace tessera::fuzz {

std::vector<std::vector<u8>> seeds() {
    std::vector<std::vector<u8>> all;
    for (const std::string line :
         {"/boot/tessera.elf policy=tagged tlb.entries=64 quantum=1000 grace=100 "
          "key=000102030405060708090a0b0c0d0e0f seed=0f0e0d0c0b0a09080706050403020100",
          "policy=none tlb.entries=unbounded grace=10 quantum=100",
          "/boot/a.elf name=a frames=64 stlb=128 guaranteed=16 tables=16 slots=2 cpu=1 -- some -- words=1", "name=x --"})
        all.emplace_back(line.begin(), line.end());
    return all;
}

}  // namespace tessera::fuzz

extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size) {
    using namespace tessera;
    const std::string_view line{reinterpret_cast<const char*>(data), size};
    const auto for_kernel = kernel::parse_kernel_options(line);
    if (!for_kernel.problem) fuzz::expect_kept(test::broken_promise(for_kernel.options));
    const auto for_module = kernel::parse_module_options(line);
    if (!for_module.problem) fuzz::expect_kept(test::broken_promise(for_module.options, line));
    return 0;
}
