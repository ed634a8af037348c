// Any file as a guest's kernel, by each protocol.
#include "libos/vmm/boot/elf.hpp"
#include "libos/vmm/boot/linux.hpp"
#include "libos/vmm/boot/multiboot.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/unit/vmm_boot_samples.hpp"

namespace tessera::fuzz {
namespace {

using namespace vmm;

constexpr u64 kFrames = 40 << 8;  // 40 MiB: what the samples need, and a little.

/// Copies nothing; looks at what it is asked to place.
struct Checked final : Placer {
    Checked(GuestMemory& memory, std::span<const std::byte> file) : memory(memory), file(file) {}
    bool place(u64 guest_physical, std::span<const std::byte> bytes) override {
        const bool inside =
            bytes.empty() || (bytes.data() >= file.data() && bytes.data() + bytes.size() <= file.data() + file.size());
        expect_kept(inside ? nullptr : "what is placed lies in the file");
        expect_kept(memory.contains(guest_physical, bytes.size()) ? nullptr : "what is placed lies in memory");
        expect_kept(guest_physical >= kKernelsBegin ? nullptr : "nothing is placed in the first megabyte");
        end = std::max<u64>(end, guest_physical + bytes.size());
        return true;
    }
    GuestMemory& memory;
    std::span<const std::byte> file;
    u64 end = 0;
};

void check(const BootResult& result, const Checked& placer) {
    if (result.problem) return;
    expect_kept(result.state.rip >= kKernelsBegin && placer.memory.contains(result.state.rip, 1)
                    ? nullptr
                    : "the entry is in memory");
    expect_kept(placer.end > kKernelsBegin ? nullptr : "something was placed");
}

}  // namespace

std::vector<std::vector<u8>> seeds() {
    test::FlatSample with_zeros;
    with_zeros.load_end = 0x10'1000;
    with_zeros.bss_end = 0x10'4000;
    test::BzImageSample small;
    small.code_size = 0x400;
    return {test::good_elf().bytes(),
            test::Elf32Sample{}.bytes(),
            small.bytes(),
            test::FlatSample{}.bytes(),
            with_zeros.bytes(),
            test::with_header(test::good_elf().bytes(), 0x800),
            test::with_header(test::Elf32Sample{}.bytes(), 0x80)};
}

}  // namespace tessera::fuzz

extern "C" int LLVMFuzzerTestOneInput(const tessera::u8* data, std::size_t size) {
    using namespace tessera;
    static test::TestMemory memory(fuzz::kFrames);
    const auto file = std::as_bytes(std::span(data, size));
    fuzz::Checked linux_placer(memory, file), multiboot_placer(memory, file);
    fuzz::check(vmm::load_linux(memory, linux_placer, {file, {}, "a line"}), linux_placer);
    fuzz::check(vmm::load_multiboot(memory, multiboot_placer, {file, "a line", {}}), multiboot_placer);
    // As an initial RAM disk, any file will do.
    static const std::vector<u8> kernel = test::good_elf().bytes();
    vmm::CopyPlacer placer(memory);
    const auto result = vmm::load_linux(memory, placer, {test::as_file(kernel), file, "a line"});
    fuzz::expect_kept(result.problem ? "a good kernel is started, whatever its RAM disk" : nullptr);
    fuzz::expect_kept(memory.outside ? "no page is asked for that cannot be" : nullptr);
    return 0;
}
