// Command lines: every option, its limits on both sides, and every way of misspelling one.
#include "exokernel/core/command_line.hpp"

#include <doctest/doctest.h>

#include <string>

namespace tessera::kernel {
namespace {

/// "none", or the problem and the word that it is about.
template <class Options>
std::string verdict(const ParsedOptions<Options>& parsed) {
    if (!parsed.problem) return parsed.token.empty() ? "none" : "a word without a problem";
    return std::string(parsed.problem) + ": " + std::string(parsed.token);
}
std::string kernel(std::string_view line) { return verdict(parse_kernel_options(line)); }
std::string module(std::string_view line) { return verdict(parse_module_options(line)); }

TEST_CASE("command line: nothing said, and everything said, to the kernel") {
    for (const char* line : {"", " ", "/boot/tessera.elf", " /boot/tessera.elf  "}) {
        const auto parsed = parse_kernel_options(line);
        REQUIRE(verdict(parsed) == "none");
        CHECK(parsed.options.policy == SwitchPolicy::keep);
        CHECK(parsed.options.tlb_entries == 0);
        CHECK(parsed.options.quantum_us == 10000);
        CHECK(parsed.options.grace_us == 500);
        CHECK(parsed.options.cpus == kMaxCpus);
        CHECK_FALSE(parsed.options.fixed_key);
        CHECK_FALSE(parsed.options.seeded);
    }
    const auto parsed = parse_kernel_options(
        "/k policy=preload tlb.entries=1536 quantum=2000 grace=100 cpus=3 key=000102030405060708090a0b0c0d0e0f "
        "seed=FFfe00000000000000000000000000A1");
    REQUIRE(verdict(parsed) == "none");
    CHECK(parsed.options.policy == SwitchPolicy::preload);
    CHECK(parsed.options.tlb_entries == 1536);
    CHECK(parsed.options.quantum_us == 2000);
    CHECK(parsed.options.grace_us == 100);
    CHECK(parsed.options.cpus == 3);
    REQUIRE(parsed.options.fixed_key);
    for (u8 i = 0; i < 16; ++i) CHECK(parsed.options.key[i] == i);
    REQUIRE(parsed.options.seeded);
    CHECK(parsed.options.seed[0] == 0xff);
    CHECK(parsed.options.seed[1] == 0xfe);
    CHECK(parsed.options.seed[15] == 0xa1);
}

TEST_CASE("command line: every policy by its name, and no other") {
    for (u64 i = 0; i < kSwitchPolicies; ++i) {
        const std::string line = std::string("policy=") + kSwitchPolicyNames[i];
        CHECK(parse_kernel_options(line).options.policy == static_cast<SwitchPolicy>(i));
    }
    for (const char* word : {"policy=keeper", "policy=kee", "policy=Keep", "policy=keep,none"}) {
        CHECK(kernel(word) == std::string("unknown switch policy: ") + word);
    }
}

TEST_CASE("command line: limits of the kernel's numbers") {
    for (const char* good : {"tlb.entries=16", "tlb.entries=65536", "tlb.entries=unbounded", "quantum=1000000",
                             "quantum=100 grace=10", "quantum=100 grace=100", "cpus=1", "cpus=8"}) {
        CHECK(kernel(good) == "none");
    }
    for (const char* bad : {"tlb.entries=15", "tlb.entries=65537", "tlb.entries=0", "quantum=99", "quantum=1000001",
                            "grace=9", "cpus=0", "cpus=9", "quantum=18446744073709551616", "quantum=99999999999999999999999999"}) {
        CHECK(kernel(bad) == std::string("number out of range: ") + bad);
    }
    CHECK(kernel("quantum=100 grace=101") == "grace is longer than the quantum: grace");
    CHECK(kernel("quantum=100") == "grace is longer than the quantum: grace");
}

TEST_CASE("command line: what is not a number, or not 32 digits") {
    for (const char* bad : {"quantum=x", "quantum=1000x", "quantum=-1000", "quantum=+1000", "quantum=0x1000",
                            "quantum=1e4", "tlb.entries=Unbounded", "cpus=all"}) {
        CHECK(kernel(bad) == std::string("not a number: ") + bad);
    }
    for (const char* bad : {"key=00", "key=000102030405060708090a0b0c0d0e0g", "key=000102030405060708090a0b0c0d0e-1",
                            "key=000102030405060708090a0b0c0d0e0f0", "key=000102030405060708090a0b0c0d0e0"}) {
        CHECK(kernel(bad) == std::string("not 32 hexadecimal digits: ") + bad);
    }
}

TEST_CASE("command line: words that mean nothing are refused") {
    CHECK(kernel("polcy=keep") == "unknown option: polcy=keep");
    CHECK(kernel("keep") == "unknown option: keep");
    CHECK(kernel("=keep") == "unknown option: =keep");
    CHECK(kernel("policy=keep /boot/x") == "unknown option: /boot/x");
    CHECK(kernel("/boot/x=1") == "unknown option: /boot/x=1");
    CHECK(kernel("policy") == "option without a value: policy");
    CHECK(kernel("policy=") == "option without a value: policy=");
    CHECK(kernel("policy =keep") == "option without a value: policy");
    CHECK(kernel("grace=20 quantum=500 grace=20") == "option given twice: grace=20");
    CHECK(kernel("policy=keep -- quantum=500") == "unknown option: --");
    CHECK(kernel("policy=keep\tquantum=500") == "unknown switch policy: policy=keep\tquantum=500");
    CHECK(kernel("name=x") == "unknown option: name=x");
}

TEST_CASE("command line: a module's options, and its arguments byte for byte") {
    const auto plain = parse_module_options("/boot/hello.elf name=hello");
    REQUIRE(verdict(plain) == "none");
    CHECK(std::string(plain.options.name) == "hello");
    CHECK(plain.options.frames == 256);
    CHECK(plain.options.stlb == 1024);
    CHECK(plain.options.guaranteed == 128);
    CHECK(plain.options.tables == 32);
    CHECK(plain.options.slots == 1);
    CHECK(plain.options.cpu == 0);
    CHECK(plain.options.arbiter == 0);
    CHECK(plain.options.arguments.empty());

    const auto full = parse_module_options(
        "name=a-b_c0123456789 frames=64 stlb=128 guaranteed=16 tables=16 slots=0 cpu=3 arbiter=1 --  x -- frames=1 ");
    REQUIRE(verdict(full) == "none");
    CHECK(std::string(full.options.name) == "a-b_c0123456789");
    CHECK(full.options.frames == 64);
    CHECK(full.options.stlb == 128);
    CHECK(full.options.guaranteed == 16);
    CHECK(full.options.tables == 16);
    CHECK(full.options.slots == 0);
    CHECK(full.options.cpu == 3);
    CHECK(full.options.arbiter == 1);
    CHECK(full.options.arguments == " x -- frames=1 ");

    CHECK(parse_module_options("name=a --").options.arguments.empty());
    CHECK(parse_module_options("name=a -- ").options.arguments.empty());
    CHECK(parse_module_options("name=a -- --").options.arguments == "--");
    CHECK(parse_module_options("-- name=a").problem != nullptr);
}

TEST_CASE("command line: limits of a module's numbers") {
    for (const char* good : {"frames=1", "frames=1048576", "stlb=65536", "guaranteed=1024", "tables=512", "slots=8",
                             "cpu=7", "arbiter=0", "arbiter=1", "frames=007"}) {
        CHECK(module(std::string("name=a ") + good) == "none");
    }
    for (const char* bad : {"frames=0", "frames=1048577", "stlb=64", "stlb=131072", "guaranteed=8", "guaranteed=2048",
                            "tables=15", "tables=513", "slots=9", "cpu=8", "arbiter=2", "cpu=18446744073709551616"}) {
        CHECK(module(std::string("name=a ") + bad) == std::string("number out of range: ") + bad);
    }
    CHECK(module("name=a stlb=1000") == "not a power of two: stlb=1000");
    CHECK(module("name=a guaranteed=100") == "not a power of two: guaranteed=100");
}

TEST_CASE("command line: a module that is a file") {
    const auto file = parse_module_options("/boot/x data=disk_1 for=one,two");
    REQUIRE(verdict(file) == "none");
    CHECK(std::string(file.options.data) == "disk_1");
    CHECK(file.options.readers == "one,two");
    CHECK(file.options.name[0] == 0);
    CHECK(parse_module_options("name=a console=1").options.console == 1);
    CHECK(std::string(parse_module_options("data=x name=a for=b").problem) == "a libOS or a file, not both");
    CHECK(std::string(parse_module_options("data=x").problem) == "data and for go together");
    CHECK(std::string(parse_module_options("name=a for=b").problem) == "data and for go together");
    CHECK(module("data=X for=b") == "name has other characters than a-z, 0-9, _ and -: data=X");
    CHECK(module("data=x for=") == "option without a value: for=");
    CHECK(module("name=a console=2") == "number out of range: console=2");
}

TEST_CASE("command line: a module's name") {
    CHECK(module("name=abcdefghijklmno") == "none");
    CHECK(module("name=abcdefghijklmnop") == "name is longer than 15 characters: name=abcdefghijklmnop");
    for (const char* bad : {"name=Hello", "name=a.b", "name=a\x1b[0m", "name=a=b", "name=\xc3\xa4", "name=\"a\""}) {
        CHECK(module(bad) == std::string("name has other characters than a-z, 0-9, _ and -: ") + bad);
    }
    CHECK(module("") == "no name: ");
    CHECK(module("frames=64 -- name=a") == "no name: ");
    CHECK(module("name=a name=b") == "option given twice: name=b");
}

TEST_CASE("command line: arguments that do not fit") {
    const std::string most(kMaxModuleArguments, 'x');
    CHECK(parse_module_options("name=a -- " + most).options.arguments == most);
    CHECK(module("name=a -- " + most + "y") == "arguments are longer than 1023 bytes: --");
}

}  // namespace
}  // namespace tessera::kernel
