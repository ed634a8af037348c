// ELF files: a good one is understood, and each way of being bad gets its own sentence.
#include "exokernel/core/elf.hpp"

#include <doctest/doctest.h>

#include <string>

#include "exokernel/abi/boot_info.hpp"
#include "tests/unit/elf_samples.hpp"
#include "tests/unit/promises.hpp"
#include "tests/unit/random.hpp"

namespace tessera::kernel {
namespace {

using test::ElfSample;
using test::good_elf;

std::string problem_of(const ElfSample& sample) {
    const char* problem = parse_elf(sample.bytes()).problem;
    return problem ? problem : "none";
}

/// The problem of the good file after one change.
template <class Change>
std::string problem_after(Change change) {
    ElfSample sample = good_elf();
    change(sample);
    return problem_of(sample);
}

TEST_CASE("elf: a good file is described exactly") {
    const ElfResult result = parse_elf(good_elf().bytes());
    REQUIRE(result.problem == nullptr);
    const ElfImage& image = result.image;
    CHECK(image.entry == VirtAddr{0x40'0010});
    CHECK(image.first_page == PageNumber{0x400});
    CHECK(image.pages == 9);
    REQUIRE(image.segment_count == 3);
    CHECK(image.segments[0].rights == (Right::read | Right::execute));
    CHECK(image.segments[1].rights == Rights{Right::read});
    CHECK(image.segments[2].rights == (Right::read | Right::write));
    CHECK_FALSE(image.segments[1].guaranteed);
    CHECK(image.segments[2].guaranteed);
    CHECK(image.segments[1].first_page() == PageNumber{0x401});
    CHECK(image.segments[1].pages() == 2);
    CHECK(image.segments[2].file_offset == 0x3800);
    CHECK(image.segments[2].file_size == 0x20);
    CHECK(image.segments[2].memory_size == 0x5001);
    CHECK(image.segments[2].pages() == 6);
}

TEST_CASE("elf: segments need not come in order, and gaps belong to the image") {
    ElfSample sample = good_elf();
    std::swap(sample.segments[0], sample.segments[2]);
    sample.segments[0].address = 0x50'0000;
    const ElfResult result = parse_elf(sample.bytes());
    REQUIRE(result.problem == nullptr);
    CHECK(result.image.first_page == PageNumber{0x400});
    CHECK(result.image.pages == 0x106);
}

TEST_CASE("elf: a bad header") {
    CHECK(problem_after([](auto& s) { s.magic = 0x464c'457e; }) == "not an ELF file");
    CHECK(problem_after([](auto& s) { s.word_size = 1; }) == "not a 64-bit ELF file");
    CHECK(problem_after([](auto& s) { s.byte_order = 2; }) == "not a little-endian ELF file");
    CHECK(problem_after([](auto& s) { s.ident_version = 0; }) == "unknown ELF version");
    CHECK(problem_after([](auto& s) { s.version = 2; }) == "unknown ELF version");
    CHECK(problem_after([](auto& s) { s.machine = 183; }) == "made for another machine than x86-64");
    for (u64 type : {0, 1, 3, 4}) {
        CHECK(problem_after([&](auto& s) { s.type = type; }) ==
              "not a static executable (link it without -pie and -shared)");
    }
    CHECK(problem_after([](auto& s) { s.header_size = 52; }) == "the ELF header has a wrong size");
    CHECK(problem_after([](auto& s) { s.entry_size = 32; }) == "program headers have a wrong size");
    CHECK(problem_after([](auto& s) { s.claimed_segments = 0; }) == "no program headers");
    CHECK(problem_after([](auto& s) { s.claimed_segments = 65; }) == "too many program headers");
    CHECK(problem_after([](auto& s) { s.table_offset = s.file_size - 4 * 56 + 1; }) ==
          "program headers lie outside the file");
    CHECK(problem_after([](auto& s) { s.table_offset = ~u64{0} - 8; }) == "program headers lie outside the file");
}

TEST_CASE("elf: a bad segment") {
    CHECK(problem_after([](auto& s) { s.segments[0].flags = 7; }) == "segment is writable and executable");
    CHECK(problem_after([](auto& s) { s.segments[0].flags = 1; }) == "segment is not readable");
    CHECK(problem_after([](auto& s) { s.segments[0].flags = 0x8000'0005; }) == "segment has unknown flags");
    CHECK(problem_after([](auto& s) { s.segments[2].memory_size = s.segments[2].file_size = 0; }) ==
          "segment is empty");
    CHECK(problem_after([](auto& s) { s.segments[0].file_size = 0x801; }) ==
          "segment has more bytes in the file than in memory");
    CHECK(problem_after([](auto& s) { s.segments[0].offset = 0x3801; }) == "segment lies outside the file");
    CHECK(problem_after([](auto& s) { s.segments[0].offset = ~u64{0} - 0x7f; }) == "segment lies outside the file");
    CHECK(problem_after([](auto& s) { s.segments[0].address += 0x10; }) == "segment does not begin on a page");
    CHECK(problem_after([](auto& s) { s.segments[2].memory_size = (u64{1} << 28) + 1; }) == "segment is too large");
    CHECK(problem_after([](auto& s) { s.segments[2].address = 0; }) == "segment covers page zero");
    CHECK(problem_after([](auto& s) { s.segments[2].address = kBootInfoAddress; }) ==
          "segment covers the boot information");
    CHECK(problem_after([](auto& s) { s.segments[2].address = kBootInfoAddress - 0x5000; }) ==
          "segment covers the boot information");
    CHECK(problem_after([](auto& s) { s.segments[2].address = kBootInfoAddress + kPageSize; }) == "none");
}

TEST_CASE("elf: addresses outside a libOS's, and ones that wrap") {
    const std::string outside = "segment lies outside user addresses";
    const u64 end = kUserPages << kPageShift;
    CHECK(problem_after([&](auto& s) { s.segments[2].address = end; }) == outside);
    CHECK(problem_after([&](auto& s) { s.segments[2].address = end - 0x5000; }) == outside);
    CHECK(problem_after([&](auto& s) { s.segments[2].address = 0xffff'ffff'8000'0000; }) == outside);
    CHECK(problem_after([&](auto& s) { s.segments[2].address = ~u64{0} << 12; }) == outside);
    CHECK(problem_after([&](auto& s) { s.segments[2].memory_size = ~u64{0} - 0x1000; }) == outside);
    CHECK(problem_after([&](auto& s) { s.segments[2].address = end - 0x6000; }) == "image is too large");
}

TEST_CASE("elf: segments that share a page") {
    CHECK(problem_after([](auto& s) { s.segments[1].address = 0x40'0000; }) == "segments overlap in a page");
    CHECK(problem_after([](auto& s) { s.segments[1].memory_size = 0x2001; }) == "segments overlap in a page");
    CHECK(problem_after([](auto& s) { s.segments[1].memory_size = 0x2000; }) == "none");
}

TEST_CASE("elf: nothing to run, or too much") {
    CHECK(problem_after([](auto& s) { s.entry = 0x40'0800; }) == "entry point is not in an executable segment");
    CHECK(problem_after([](auto& s) { s.entry = 0x40'07ff; }) == "none");
    CHECK(problem_after([](auto& s) { s.entry = 0x40'1000; }) == "entry point is not in an executable segment");
    CHECK(problem_after([](auto& s) { s.entry = ~u64{0}; }) == "entry point is not in an executable segment");
    CHECK(problem_after([](auto& s) { s.segments[0].flags = 4; }) == "entry point is not in an executable segment");
    CHECK(problem_after([](auto& s) { s.segments = {{.type = 4}}; }) == "nothing to load");
    const auto with_loads = [](u64 count) {
        return problem_after([&](auto& s) {
            for (u64 i = 3; i < count; ++i) s.segments.push_back({.address = 0x60'0000 + i * 0x1000});
        });
    };
    CHECK(with_loads(kMaxElfSegments) == "none");
    CHECK(with_loads(kMaxElfSegments + 1) == "too many segments");
}

TEST_CASE("elf: what needs a dynamic linker is refused, notes and thread-local templates are passed over") {
    CHECK(problem_after([](auto& s) { s.segments.push_back({.type = 3}); }) == "asks for an interpreter");
    CHECK(problem_after([](auto& s) { s.segments.push_back({.type = 2}); }) == "asks for dynamic linking");
    CHECK(problem_after([](auto& s) { s.segments.push_back({.type = 4}); }) == "none");
    CHECK(problem_after([](auto& s) { s.segments.push_back({.type = 7}); }) == "none");
}

TEST_CASE("elf: a file cut short at any byte is refused or complete, never read past") {
    const std::vector<u8> file = good_elf().bytes();
    const u64 needed = 0x3820;  // end of the last segment's bytes
    for (u64 size = 0; size < file.size(); size += size < 512 ? 1 : 16) {
        const std::vector<u8> cut(file.begin(), file.begin() + static_cast<long>(size));
        REQUIRE((parse_elf(cut).problem == nullptr) == (size >= needed));
    }
}

TEST_CASE("elf: whatever is accepted can be loaded as it says") {
    test::Random random{11};
    const std::vector<u8> good = good_elf().bytes();
    u64 accepted = 0;
    for (int round = 0; round < 30000; ++round) {
        std::vector<u8> file = good;
        for (u64 writes = random.between(1, 3); writes > 0; --writes) {
            file[random.below(64 + 4 * 56)] = static_cast<u8>(random.next());
        }
        const ElfResult result = parse_elf(file);
        if (result.problem) continue;
        ++accepted;
        const char* broken = test::broken_promise(result.image, file.size());
        REQUIRE_MESSAGE(broken == nullptr, broken);
    }
    CHECK(accepted > 1000);  // or this looked at nothing
}

}  // namespace
}  // namespace tessera::kernel
