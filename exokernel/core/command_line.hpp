// The words behind the kernel's name and behind each module's in the boot loader's configuration.
//
// kernel: policy=none|refill|preload|keep|tagged tlb.entries=N|unbounded quantum=US grace=US cpus=N
//         key=32 hex digits seed=32 hex digits crash=trap|fault|stack
// module: name=NAME frames=N stlb=N guaranteed=N tables=N slots=N cpu=N arbiter=0|1 console=0|1 -- anything
// file:   data=NAME for=NAME,NAME,...
//
// Words are separated by blanks; a first word that begins with '/' and has no '=' is the file's path and is
// passed over. Everything else that is not understood is refused: a misspelt option that is quietly dropped
// makes an experiment that measures something else.
#pragma once

#include <string_view>

#include "exokernel/abi/information.hpp"
#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

/// How the checked kernel is to fail, once it is up, to show that a panic says what it should.
enum class Crash { no, trap, fault, stack };

struct KernelOptions {
    SwitchPolicy policy = SwitchPolicy::keep;
    u64 tlb_entries = 0;     ///< 16 to 65536; 0: unbounded.
    u64 quantum_us = 10000;  ///< 100 to 1000000.
    u64 grace_us = 500;      ///< 10 to quantum_us.
    bool fixed_key = false;  ///< `key` was given: the boot key for reproducible tests.
    u8 key[16]{};
    bool seeded = false;  ///< `seed` was given: entropy from the loader where the CPU has none.
    u8 seed[16]{};
    u64 cpus = kMaxCpus;     ///< How many at most to use: 1 to kMaxCpus.
    Crash crash = Crash::no;  ///< The measured kernel refuses any other.
};

inline constexpr u64 kMaxModuleArguments = 1023;  ///< Bytes; BootInfo holds them with a zero behind.

struct ModuleOptions {
    char name[16]{};             ///< 1 to 15 of [a-z0-9_-], zero-terminated. Must be given.
    u64 frames = 256;            ///< Frame quota: 1 to 2^20.
    u64 stlb = 1024;             ///< As in ContextSpec: a power of two, 128 to 65536.
    u64 guaranteed = 128;        ///< As in ContextSpec: a power of two, 16 to 1024.
    u64 tables = 32;             ///< As in ContextSpec: 16 to 512.
    u64 slots = 1;               ///< Slots that it starts with: 0 to 8.
    u64 cpu = 0;                 ///< Where it lives, and whose slots: below kMaxCpus.
    u64 arbiter = 0;             ///< 1: it may revoke from everybody.
    u64 console = 0;             ///< 1: COM3 is its own.
    char data[16]{};             ///< Not a libOS, but a file of this name, as `name`;
    std::string_view readers;    ///< for the libOSes of these names, with commas between them.
    std::string_view arguments;  ///< What stands behind "-- ", byte for byte.
};

/// Options, or the first thing wrong with them and where.
template <class Options>
struct ParsedOptions {
    Options options;
    const char* problem = nullptr;  ///< Null: all is well.
    std::string_view token;         ///< The word that the problem is about, where there is one.
};

ParsedOptions<KernelOptions> parse_kernel_options(std::string_view line);
ParsedOptions<ModuleOptions> parse_module_options(std::string_view line);

}  // namespace tessera::kernel
