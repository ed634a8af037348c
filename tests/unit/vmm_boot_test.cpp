// Loading kernels into a guest: what they find when they start, and files that are none.
#include <asm/bootparam.h>
#include <doctest/doctest.h>

#include "libos/vmm/boot/elf.hpp"
#include "libos/vmm/boot/linux.hpp"
#include "libos/vmm/boot/low_memory.hpp"
#include "libos/vmm/boot/multiboot.hpp"
#include "tests/unit/vmm_boot_samples.hpp"

using namespace tessera;
using namespace tessera::vmm;
using namespace tessera::test;

namespace {

constexpr u64 kFrames = 64 << 8;  // 64 MiB

std::string problem_of(std::span<const std::byte> file) {
    const char* const problem = parse_kernel(file).problem;
    return problem ? problem : "";
}

struct Guest {
    TestMemory memory{kFrames};
    CopyPlacer placer{memory};

    bool holds(u64 address, std::span<const std::byte> bytes) {
        Bytes there(bytes.size());
        return memory.copy_in(there, address) && std::equal(there.begin(), there.end(), bytes.begin());
    }
    std::string text_at(u64 address) {
        std::string text;
        for (char c; (c = memory.read<char>(address + text.size()).value_or(0)) != 0;) text += c;
        return text;
    }
    std::string linux_problem(const std::vector<u8>& kernel, std::span<const std::byte> initrd = {},
                              std::string_view line = "") {
        const BootResult result = load_linux(memory, placer, {as_file(kernel), initrd, line});
        return result.problem ? result.problem : "";
    }
    std::string multiboot_problem(const std::vector<u8>& kernel) {
        const BootResult result = load_multiboot(memory, placer, {as_file(kernel), "", {}});
        return result.problem ? result.problem : "";
    }
    /// What the guest's page tables make of an address.
    u64 translate(u64 cr3, u64 address) {
        u64 table = cr3;
        for (u64 shift = 39; shift >= 21; shift -= 9) {
            const u64 entry = memory.read<u64>(table + (address >> shift & 511) * 8).value();
            if ((entry & 3) != 3) return ~u64{0};
            if (entry & 0x80) return (entry & ~((u64{1} << shift) - 1)) | (address & ((u64{1} << shift) - 1));
            table = entry & ~u64{0xfff};
        }
        return ~u64{0};
    }
};

}  // namespace

TEST_CASE("vmm: an ELF kernel is taken apart by physical addresses") {
    const std::vector<u8> file = good_elf().bytes();
    const KernelResult result = parse_kernel(as_file(file));
    REQUIRE_FALSE(result.problem);
    CHECK(result.kernel.count == 3);
    CHECK(result.kernel.entry == 0x40'0010);
    CHECK(result.kernel.end == 0x40'3000 + 0x5001);
    CHECK(result.kernel.segments[1].bytes.data() == as_file(file).data() + 0x2000);

    Elf32Sample small;
    small.virtual_address = 0xc010'0000;
    small.entry = 0xc010'0020;  // virtual, as some kernels have it
    const KernelResult translated = parse_kernel(as_file(small.bytes()));
    REQUIRE_FALSE(translated.problem);
    CHECK(translated.kernel.entry == 0x10'0020);
}

TEST_CASE("vmm: files that are no kernels are refused, in words") {
    const auto spoilt = [](auto change) {
        ElfSample sample = good_elf();
        change(sample);
        const std::vector<u8> file = sample.bytes();
        return problem_of(as_file(file));
    };
    CHECK(spoilt([](ElfSample& s) { s.magic = 0; }) == "not an ELF file");
    CHECK(spoilt([](ElfSample& s) { s.word_size = 3; }) == "an ELF file of no known class");
    CHECK(spoilt([](ElfSample& s) { s.byte_order = 2; }) == "not an ELF file for x86");
    CHECK(spoilt([](ElfSample& s) { s.machine = 183; }) == "made for another machine than x86");
    CHECK(spoilt([](ElfSample& s) { s.type = 3; }) == "not a static executable");
    CHECK(spoilt([](ElfSample& s) { s.entry_size = 55; }) == "program headers have a wrong size");
    CHECK(spoilt([](ElfSample& s) { s.claimed_segments = 0; }) == "no program headers, or too many");
    CHECK(spoilt([](ElfSample& s) { s.claimed_segments = 65; }) == "no program headers, or too many");
    CHECK(spoilt([](ElfSample& s) { s.table_offset = ~u64{0} - 8; }) == "program headers lie outside of the file");
    CHECK(spoilt([](ElfSample& s) { s.file_size = 60; }) == "too short for an ELF header");
    CHECK(spoilt([](ElfSample& s) { s.segments[0].type = 3; }) == "asks for dynamic linking");
    CHECK(spoilt([](ElfSample& s) { s.segments[0].file_size = 0x900; }) ==
          "a segment has more bytes in the file than in memory");
    CHECK(spoilt([](ElfSample& s) { s.segments[0].offset = ~u64{0}; }) == "a segment lies outside of the file");
    CHECK(spoilt([](ElfSample& s) { s.segments[0].address = 0xf'ffff; }) == "a segment lies in the first megabyte");
    CHECK(spoilt([](ElfSample& s) { s.segments[2].memory_size = ~u64{0}; }) == "a segment lies where no memory can be");
    CHECK(spoilt([](ElfSample& s) { s.segments[1].address = 0x40'07ff; }) == "segments overlap");
    CHECK(spoilt([](ElfSample& s) { s.segments.assign(20, {.type = 0}); }) == "nothing to load");
    CHECK(spoilt([](ElfSample& s) { s.entry = 0x50'0000; }) == "the entry point is not in the kernel");
    CHECK(spoilt([](ElfSample& s) { s.entry = 0x40'3020; }) ==
          "the entry point is not in the kernel");  // among its zeros
    CHECK(spoilt([](ElfSample& s) {
              for (u64 i = 0; i < 20; ++i) s.segments.push_back({.address = 0x60'0000 + i * 0x1000});
          }) == "too many segments");
    Elf32Sample wrong;
    wrong.machine = 62;
    CHECK(problem_of(as_file(wrong.bytes())) == "made for another machine than x86");
}

TEST_CASE("vmm: Linux's 64-bit protocol, with an ELF kernel") {
    Guest guest;
    const std::vector<u8> kernel = good_elf().bytes();
    const Bytes initrd(5000, std::byte{0x77});
    const BootResult result = load_linux(guest.memory, guest.placer, {as_file(kernel), initrd, "console=ttyS0 quiet"});
    REQUIRE_FALSE(result.problem);
    const StartState& state = result.state;
    CHECK(state.rip == 0x40'0010);
    CHECK(guest.holds(0x40'1000, as_file(kernel).subspan(0x2000, 0x1800)));
    CHECK(guest.memory.read<u32>(0x40'3020) == 0);

    // Long mode, interrupts off, flat segments that the GDT holds as well, and 4 GiB one to one.
    CHECK(state.rflags == 2);
    CHECK(state.cr0 == 0x8000'0011);
    CHECK(state.cr4 == 0x20);
    CHECK(state.efer == 0x500);
    CHECK(state.cs.selector == 0x10);
    CHECK(state.cs.attributes == 0xa9b);
    CHECK(state.data.selector == 0x18);
    CHECK(guest.memory.read<u64>(state.gdtr.base + 0x10) == 0x00af'9b00'0000'ffff);
    CHECK(guest.memory.read<u64>(state.gdtr.base + 0x18) == 0x00cf'9300'0000'ffff);
    CHECK(state.gdtr.limit == 0x1f);
    for (const u64 address : {u64{0}, u64{0x1234}, u64{0x40'0010}, u64{0x4000'0000}, u64{0xffff'ffff}})
        CHECK(guest.translate(state.cr3, address) == address);
    CHECK(guest.translate(state.cr3, u64{1} << 32) == ~u64{0});

    const auto params = guest.memory.read<boot_params>(state.rsi).value();
    CHECK(params.hdr.header == 0x5372'6448);
    CHECK(params.hdr.boot_flag == 0xaa55);
    CHECK(params.hdr.type_of_loader == 0xff);
    CHECK(guest.text_at(params.hdr.cmd_line_ptr) == "console=ttyS0 quiet");
    CHECK(params.hdr.ramdisk_size == 5000);
    CHECK(params.hdr.ramdisk_image % kPageSize == 0);
    CHECK(params.hdr.ramdisk_image + 5000 <= kFrames * kPageSize);
    CHECK(guest.holds(params.hdr.ramdisk_image, initrd));
    REQUIRE(params.e820_entries == 3);
    CHECK(params.e820_table[0].addr == 0);
    CHECK(params.e820_table[0].size == 0x9'fc00);
    CHECK(params.e820_table[1].type == 2);
    CHECK(params.e820_table[2].addr == 0x10'0000);
    CHECK(params.e820_table[2].addr + params.e820_table[2].size == kFrames * kPageSize);
}

TEST_CASE("vmm: Linux's 64-bit protocol, with a bzImage") {
    Guest guest;
    const std::vector<u8> kernel = BzImageSample{}.bytes();
    const BootResult result = load_linux(guest.memory, guest.placer, {as_file(kernel), {}, "a"});
    REQUIRE_FALSE(result.problem);
    CHECK(result.state.rip == 0x100'0200);
    CHECK(guest.holds(0x100'0000, as_file(kernel).subspan(3 * 512)));
    const auto params = guest.memory.read<boot_params>(result.state.rsi).value();
    CHECK(params.hdr.pref_address == 0x100'0000);
    CHECK(params.hdr.setup_sects == 2);
    CHECK(params.hdr.ramdisk_size == 0);
    CHECK(params.sentinel == 0);
}

TEST_CASE("vmm: what cannot be started by Linux's protocol is refused") {
    Guest guest;
    const auto spoilt = [&](auto change) {
        BzImageSample sample;
        change(sample);
        return guest.linux_problem(sample.bytes());
    };
    CHECK(spoilt([](BzImageSample& s) { s.magic = 0; }) == "neither an ELF file nor a bzImage");
    CHECK(spoilt([](BzImageSample& s) { s.boot_flag = 0; }) == "neither an ELF file nor a bzImage");
    CHECK(spoilt([](BzImageSample& s) { s.version = 0x20b; }) == "a bzImage without a 64-bit entry point");
    CHECK(spoilt([](BzImageSample& s) { s.xloadflags = 2; }) == "a bzImage without a 64-bit entry point");
    CHECK(spoilt([](BzImageSample& s) { s.code_size = 0; }) == "a bzImage with nothing behind its setup code");
    CHECK(spoilt([](BzImageSample& s) { s.code_size = 0x200; }) == "a bzImage that ends before its entry point");
    CHECK(spoilt([](BzImageSample& s) { s.pref_address = 0x1000; }) == "a bzImage that wants the first megabyte");
    CHECK(spoilt([](BzImageSample& s) { s.pref_address = ~u64{0} - 0xfff; }) ==
          "the kernel needs more memory than the guest has");
    CHECK(spoilt([](BzImageSample& s) { s.init_size = 0xffff'ffff; }) ==
          "the kernel needs more memory than the guest has");
    CHECK(guest.linux_problem({}) == "neither an ELF file nor a bzImage");

    const std::vector<u8> kernel = good_elf().bytes();
    CHECK(guest.linux_problem(kernel, {}, std::string(2047, 'x')).empty());
    CHECK(guest.linux_problem(kernel, {}, std::string(2048, 'x')) == "the command line is too long");
    BzImageSample talkative;
    talkative.command_line_size = 0xffff'ffff;
    CHECK(guest.linux_problem(talkative.bytes(), {}, std::string(4095, 'x')).empty());
    CHECK(guest.linux_problem(talkative.bytes(), {}, std::string(4096, 'x')) == "the command line is too long");
    CHECK(guest.linux_problem(kernel, Bytes(61 << 20)) == "the initial RAM disk does not fit behind the kernel");
    CHECK(guest.linux_problem(kernel, Bytes(65 << 20)) == "the initial RAM disk is larger than the memory");
    BzImageSample low;
    low.initrd_max = 0x100'1fff;
    CHECK(guest.linux_problem(low.bytes(), Bytes(1)) == "the initial RAM disk does not fit behind the kernel");

    TestMemory tiny(511), huge((3 << 18) + 1);
    CopyPlacer into_tiny(tiny), into_huge(huge);
    CHECK(load_linux(tiny, into_tiny, {as_file(kernel), {}, ""}).problem != nullptr);
    CHECK(load_linux(huge, into_huge, {as_file(kernel), {}, ""}).problem != nullptr);
    guest.memory.holes = {8};
    CHECK(guest.linux_problem(kernel) == "the first megabyte is not there");
    guest.memory.holes = {0x401};
    CHECK(guest.linux_problem(kernel) == "the kernel could not be put in place");
}

TEST_CASE("vmm: multiboot, with a flat kernel and modules") {
    Guest guest;
    FlatSample sample;
    sample.load_end = 0x10'1800;
    sample.bss_end = 0x10'5001;
    const std::vector<u8> kernel = sample.bytes();
    const Bytes one(100, std::byte{1}), two(5000, std::byte{2});
    const MultibootModule modules[] = {{one, "first"}, {two, "second one"}};
    const BootResult result = load_multiboot(guest.memory, guest.placer, {as_file(kernel), "test", modules});
    REQUIRE_FALSE(result.problem);
    CHECK(result.state.rip == 0x10'0080);
    CHECK(result.state.rax == 0x2bad'b002);
    CHECK(result.state.cr0 == 0x11);
    CHECK(result.state.efer == 0);
    CHECK(result.state.cs.attributes == 0xc9b);
    CHECK(guest.holds(0x10'0000, as_file(kernel).first(0x1800)));
    CHECK(guest.memory.read<u64>(0x10'1800) == 0);

    const u64 info = result.state.rbx;
    const auto word = [&](u64 at) { return guest.memory.read<u32>(at).value(); };
    CHECK(word(info) == (1 | 4 | 8 | 64 | 512));
    CHECK(word(info + 4) == 639);
    CHECK(word(info + 8) == 63 << 10);
    CHECK(guest.text_at(word(info + 16)) == "test");
    REQUIRE(word(info + 20) == 2);
    const u64 list = word(info + 24);
    CHECK(word(list) == 0x10'6000);
    CHECK(word(list + 4) == 0x10'6064);
    CHECK(guest.text_at(word(list + 8)) == "first");
    CHECK(word(list + 16) == 0x10'7000);
    CHECK(guest.holds(0x10'7000, two));
    CHECK(guest.text_at(word(list + 24)) == "second one");
    CHECK(word(info + 44) == 72);
    CHECK(word(word(info + 48)) == 20);
    CHECK(guest.memory.read<u64>(word(info + 48) + 4 + 48) == 0x10'0000);
    CHECK(guest.text_at(word(info + 64)) == "tessera");
}

TEST_CASE("vmm: multiboot, with ELF kernels of both sizes") {
    Guest guest;
    const BootResult small =
        load_multiboot(guest.memory, guest.placer, {as_file(with_header(Elf32Sample{}.bytes(), 0x80)), "", {}});
    CHECK_FALSE(small.problem);
    CHECK(small.state.rip == 0x10'0010);
    CHECK(guest.multiboot_problem(with_header(good_elf().bytes(), 0x1000)).empty());
    CHECK(guest.multiboot_problem(with_header(good_elf().bytes(), 8180)).empty());
    CHECK(guest.multiboot_problem(with_header(good_elf().bytes(), 8184)) == "no multiboot header in the first 8 KiB");
}

TEST_CASE("vmm: multiboot headers that ask for what is not to be had") {
    Guest guest;
    const auto spoilt = [&](auto change) {
        FlatSample sample;
        change(sample);
        return guest.multiboot_problem(sample.bytes());
    };
    CHECK(spoilt([](FlatSample&) {}).empty());
    CHECK(spoilt([](FlatSample& s) { s.magic = 0; }) == "no multiboot header in the first 8 KiB");
    CHECK(spoilt([](FlatSample& s) { s.wrong_by = 1; }) == "no multiboot header in the first 8 KiB");
    CHECK(spoilt([](FlatSample& s) { s.size = 0x50; }) == "no multiboot header in the first 8 KiB");
    CHECK(spoilt([](FlatSample& s) { s.offset = 0x42; }) == "no multiboot header in the first 8 KiB");
    CHECK(spoilt([](FlatSample& s) { s.flags |= 4; }) == "the kernel requires what is not to be had");
    CHECK(spoilt([](FlatSample& s) { s.load_address = 0x10'0080; }) == "the multiboot header lies before the kernel");
    CHECK(spoilt([](FlatSample& s) { s.load_address = 0xf'f000; }) == "the multiboot header lies before the kernel");
    CHECK(spoilt([](FlatSample& s) { s.load_end = 0xf'ffff; }) == "the kernel ends before it begins");
    CHECK(spoilt([](FlatSample& s) { s.load_end = 0x10'2001; }) == "the kernel is longer than its file");
    CHECK(spoilt([](FlatSample& s) { s.bss_end = 0x10'1fff; }) == "the kernel's zeros end before they begin");
    CHECK(spoilt([](FlatSample& s) { s.bss_end = 0xffff'ffff; }) == "the kernel needs more memory than the guest has");
    CHECK(spoilt([](FlatSample& s) { s.entry = 0x20'0000; }) == "the entry point is not in the kernel");
    CHECK(spoilt([](FlatSample& s) {
              s.header_address = 0x9'0040;
              s.load_address = 0x9'0000;
          }) == "a kernel that wants the first megabyte");

    const std::vector<u8> kernel = FlatSample{}.bytes();
    const auto load = [&](std::string_view line, std::span<const MultibootModule> modules) {
        const char* const problem =
            load_multiboot(guest.memory, guest.placer, {as_file(kernel), line, modules}).problem;
        return std::string(problem ? problem : "");
    };
    const std::vector<MultibootModule> many(17);
    CHECK(load("", std::span(many).first(16)).empty());
    CHECK(load("", many) == "more than 16 modules");
    CHECK(load(std::string(4096, 'x'), {}) == "the command lines are longer than a page together");
    const Bytes large(64 << 20);
    const MultibootModule too_large[] = {{large, ""}};
    CHECK(load("", too_large) == "the modules need more memory than the guest has");
}

TEST_CASE("vmm: a CPU that is started begins in real mode at its page") {
    const StartState state = startup_state(0x99);
    CHECK(state.cs.selector == 0x9900);
    CHECK(state.cs.base == 0x9'9000);
    CHECK(state.rip == 0);
    CHECK((state.cr0 & 1) == 0);
}
