// Boot information: what a loader says is understood, and what a broken or evil one says is refused.
#include "exokernel/core/multiboot2.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/multiboot2_samples.hpp"

namespace tessera::kernel {
namespace {

using test::BootSample;
using test::ByteWriter;

std::string text_of(const char* problem) { return problem ? problem : "none"; }
std::string problem_of(const std::vector<u8>& bytes) { return text_of(parse_multiboot2(bytes).problem); }
std::string problem_of(const BootSample& sample) { return problem_of(sample.bytes()); }

const std::vector<BootSample::Region> kMemory = {{0x10'0000, 0x7f0'0000, 1}};

/// Memory, and these modules.
BootSample with_modules() { return BootSample{}.memory_map(kMemory); }

TEST_CASE("multiboot2: everything that a good loader says") {
    const std::vector<u8> bytes = test::good_boot().bytes();
    const BootInformation info = parse_multiboot2(bytes);
    REQUIRE(info.problem == nullptr);
    CHECK(info.command_line == "policy=keep tlb.entries=64");
    REQUIRE(info.region_count == 4);
    CHECK(info.regions[0].end() == 0x9'fc00);
    CHECK(info.regions[0].usable);
    CHECK_FALSE(info.regions[1].usable);
    CHECK(info.regions[2].base == 0x10'0000);
    CHECK(info.regions[2].length == 0x7ee'0000);
    REQUIRE(info.module_count == 2);
    CHECK(info.modules[0].start == 0x20'0000);
    CHECK(info.modules[0].end == 0x20'8123);
    CHECK(info.modules[0].command_line == "name=hello");
    CHECK(info.modules[0].problem == nullptr);
    CHECK(info.modules[1].command_line == "name=pager frames=64 -- --verbose");
    CHECK(info.modules[1].problem == nullptr);
    CHECK_FALSE(info.efi);
    const auto* rsdp = reinterpret_cast<const char*>(info.rsdp.data());
    REQUIRE(rsdp > reinterpret_cast<const char*>(bytes.data()));
    CHECK(std::string_view(rsdp, 9) == std::string_view("RSD PTR \2", 9));  // the newer of the two
}

TEST_CASE("multiboot2: what is absent is empty") {
    const BootInformation info = parse_multiboot2(with_modules().end().bytes());
    CHECK(info.problem == nullptr);
    CHECK(info.command_line.empty());
    CHECK(info.module_count == 0);
    CHECK(info.rsdp.empty());
}

TEST_CASE("multiboot2: EFI firmware is recognised") {
    for (u64 type : {11, 12, 17}) {
        CHECK(parse_multiboot2(with_modules().tag(type, std::vector<u8>(8)).end().bytes()).efi);
    }
}

TEST_CASE("multiboot2: an older ACPI pointer never replaces a newer one") {
    const std::vector<u8> old_one(20, 1), new_one(36, 2);
    for (const bool old_first : {true, false}) {
        BootSample sample = with_modules();
        sample.tag(old_first ? 14 : 15, old_first ? old_one : new_one);
        sample.tag(old_first ? 15 : 14, old_first ? new_one : old_one);
        const std::vector<u8> bytes = sample.end().bytes();
        const BootInformation info = parse_multiboot2(bytes);
        REQUIRE(info.problem == nullptr);
        CHECK(*info.rsdp.data() == 2);
    }
    CHECK(problem_of(with_modules().tag(14, std::vector<u8>(19)).end()) == "ACPI root pointer is too short");
    CHECK(problem_of(with_modules().tag(15, std::vector<u8>(35)).end()) == "ACPI root pointer is too short");
}

TEST_CASE("multiboot2: unknown tags are passed over, whatever their size") {
    for (u64 size = 0; size < 20; ++size) {
        CHECK(problem_of(with_modules().tag(999, std::vector<u8>(size)).end()) == "none");
    }
}

TEST_CASE("multiboot2: a broken frame") {
    CHECK(problem_of(std::vector<u8>{}) == "boot information is too short");
    CHECK(problem_of(std::vector<u8>(7)) == "boot information is too short");
    CHECK(problem_of(ByteWriter{}.put(8, 4).put(0, 4).bytes()) == "boot information is too short");
    CHECK(problem_of(BootSample{}.end()) == "no memory map");
    CHECK(problem_of(with_modules()) == "boot information has no end tag");
    const BootSample good = test::good_boot();
    const u64 size = good.bytes().size();
    CHECK(problem_of(good.bytes(size + 1)) == "boot information is cut short");
    CHECK(problem_of(good.bytes(~u32{0})) == "boot information is cut short");
    CHECK(problem_of(good.bytes(size - 1)) == "boot information has no end tag");
    CHECK(problem_of(with_modules().tag(999, {}, 0).end()) == "boot tag is shorter than its header");
    CHECK(problem_of(with_modules().tag(999, {}, 7).end()) == "boot tag is shorter than its header");
    CHECK(problem_of(with_modules().tag(999, {}, 17).end()) == "boot tag reaches behind the end");
    CHECK(problem_of(with_modules().tag(999, {}, ~u32{0}).end()) == "boot tag reaches behind the end");
}

TEST_CASE("multiboot2: a broken memory map") {
    CHECK(problem_of(BootSample{}.memory_map(kMemory).memory_map(kMemory).end()) == "two memory maps");
    CHECK(problem_of(BootSample{}.tag(6, std::vector<u8>(7)).end()) == "memory map is too short");
    for (u64 entry_size : {0, 8, 16, 23, 25}) {
        const auto payload = ByteWriter{}.put(entry_size, 4).put(0, 4 + 48).bytes();
        CHECK(problem_of(BootSample{}.tag(6, payload).end()) == "memory map has a bad entry size");
    }
    CHECK(problem_of(BootSample{}.tag(6, ByteWriter{}.put(24, 4).put(0, 4 + 25).bytes()).end()) ==
          "memory map is not a whole number of entries");
    CHECK(problem_of(BootSample{}.memory_map({{0x1000, ~u64{0}, 1}}).end()) == "memory region wraps");
    CHECK(problem_of(BootSample{}.memory_map({{0, 0, 1}}).end()) == "no memory map");
    CHECK(problem_of(BootSample{}.memory_map(kMemory, 40).end()) == "none");  // entries may grow
    CHECK(parse_multiboot2(BootSample{}.memory_map({{1, 2, 1}, {8, 8, 3}}, 32).end().bytes()).regions[1].base == 8);
}

TEST_CASE("multiboot2: memory that is claimed twice") {
    const std::string overlap = "usable memory region overlaps another";
    CHECK(problem_of(BootSample{}.memory_map({{0, 0x2000, 1}, {0x1000, 0x2000, 1}}).end()) == overlap);
    CHECK(problem_of(BootSample{}.memory_map({{0, 0x2000, 1}, {0x1000, 1, 2}}).end()) == overlap);
    CHECK(problem_of(BootSample{}.memory_map({{0x1000, 1, 2}, {0, 0x2000, 1}}).end()) == overlap);
    CHECK(problem_of(BootSample{}.memory_map({{0, 0x2000, 2}, {0x1000, 0x2000, 3}}).end()) == "none");
    CHECK(problem_of(BootSample{}.memory_map({{0, 0x1000, 1}, {0x1000, 0x1000, 2}}).end()) == "none");
}

TEST_CASE("multiboot2: more regions or modules than there is room for") {
    std::vector<BootSample::Region> regions;
    for (u64 i = 0; i < kMaxMemoryRegions; ++i) regions.push_back({i * 0x2000, 0x1000, 1});
    CHECK(parse_multiboot2(BootSample{}.memory_map(regions).end().bytes()).region_count == kMaxMemoryRegions);
    regions.push_back({0x1000'0000, 1, 1});
    CHECK(problem_of(BootSample{}.memory_map(regions).end()) == "too many memory regions");

    BootSample sample = with_modules();
    for (u64 i = 0; i < kMaxBootModules; ++i) sample.module(0x10'0000 + i * 16, 0x10'0010 + i * 16, "name=m");
    CHECK(problem_of(BootSample{sample}.end()) == "none");
    CHECK(problem_of(BootSample{sample}.module(0x20'0000, 0x20'0001, "").end()) == "too many modules");
}

TEST_CASE("multiboot2: strings must end") {
    CHECK(problem_of(with_modules().tag(1, ByteWriter{}.put("policy").bytes()).end()) ==
          "the command line does not end");
    CHECK(problem_of(with_modules().tag(1, {}).end()) == "the command line does not end");
    CHECK(problem_of(with_modules().command_line("a").command_line("b").end()) == "two command lines");
}

TEST_CASE("multiboot2: a bad module spoils itself only") {
    const auto problem_of_module = [](BootSample sample, u64 index) {
        const BootInformation info = parse_multiboot2(sample.module(0x40'0000, 0x40'1000, "good").end().bytes());
        REQUIRE(info.problem == nullptr);
        REQUIRE(info.modules[info.module_count - 1].problem == nullptr);
        REQUIRE(index < info.module_count - 1);
        return text_of(info.modules[index].problem);
    };
    CHECK(problem_of_module(with_modules().module(0x20'0001, 0x20'0000, ""), 0) == "it ends before it starts");
    CHECK(problem_of_module(with_modules().module(0x20'0000, 0x20'0000, ""), 0) == "it is empty");
    CHECK(problem_of_module(with_modules().module(0xf'ffff, 0x20'0000, ""), 0) == "it lies outside usable memory");
    CHECK(problem_of_module(with_modules().module(0x20'0000, 0x800'0001, ""), 0) == "it lies outside usable memory");
    CHECK(problem_of_module(with_modules().module(0, ~u32{0}, ""), 0) == "it lies outside usable memory");
    CHECK(problem_of_module(with_modules().tag(3, std::vector<u8>(7)), 0) == "its tag is too short");
    CHECK(problem_of_module(with_modules().tag(3, std::vector<u8>(8, 1)), 0) == "its command line does not end");
    const auto chain = with_modules()
                           .module(0x20'0000, 0x20'2000, "")
                           .module(0x20'1fff, 0x20'3000, "")
                           .module(0x20'2fff, 0x20'4000, "");  // only with the one before
    for (u64 index : {0, 1, 2}) CHECK(problem_of_module(chain, index) == "it overlaps another module");
}

TEST_CASE("multiboot2: a module may lie across usable regions that touch, not across a hole") {
    const auto problem_with = [](const std::vector<BootSample::Region>& regions) {
        const auto bytes = BootSample{}.module(0x1000, 0x4000, "").memory_map(regions).end().bytes();
        return text_of(parse_multiboot2(bytes).modules[0].problem);
    };
    CHECK(problem_with({{0x3000, 0x1000, 1}, {0x1000, 0x2000, 1}}) == "none");
    CHECK(problem_with({{0x3001, 0xfff, 1}, {0x1000, 0x2000, 1}}) == "it lies outside usable memory");
    CHECK(problem_with({{0x1000, 0x1000, 1}, {0x2000, 0x1000, 2}, {0x3000, 0x1000, 1}}) ==
          "it lies outside usable memory");
}

TEST_CASE("multiboot2: cut short at any byte, it is refused") {
    const std::vector<u8> good = test::good_boot().bytes();
    for (u64 size = 0; size < good.size(); ++size) {
        std::vector<u8> cut(good.begin(), good.begin() + static_cast<long>(size));
        REQUIRE(parse_multiboot2(cut).problem != nullptr);
        if (size < 8) continue;
        for (u64 i = 0; i < 4; ++i) cut[i] = static_cast<u8>(size >> 8 * i);  // now the claim is true
        REQUIRE(parse_multiboot2(cut).problem != nullptr);
    }
}

}  // namespace
}  // namespace tessera::kernel
