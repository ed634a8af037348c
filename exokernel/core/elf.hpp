// The one kind of executable that the kernel loads: a static ELF64 program for x86-64, at fixed addresses.
//
// It comes as a boot module, from whoever made the medium: hostile input. Parsing reads the file, writes
// nothing, allocates nothing, and either describes an image that can be loaded without a further check or
// says in one sentence why not. (ELF: System V ABI, chapters 4 and 5; x86-64 supplement.)
#pragma once

#include <span>

#include "exokernel/abi/capability.hpp"
#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

/// One PT_LOAD. `address` is page-aligned, `file_size` <= `memory_size`, and the file's bytes lie in the file;
/// what the file does not give is zero. Never writable and executable; always readable.
struct ElfSegment {
    u64 address;
    u64 memory_size;
    u64 file_offset;
    u64 file_size;
    Rights rights;
    bool guaranteed;  ///< To be bound as guaranteed mappings (kElfGuaranteed).

    constexpr u64 end() const { return address + memory_size; }
    constexpr PageNumber first_page() const { return page_of(VirtAddr{address}); }
    constexpr u64 pages() const { return (memory_size + kPageSize - 1) >> kPageShift; }
};

inline constexpr u64 kMaxElfSegments = 16;
inline constexpr u64 kMaxElfPages = 65536;  ///< From the first page to the last, gaps included: 256 MiB.

struct ElfImage {
    VirtAddr entry;                          ///< In an executable segment.
    u64 segment_count{};                     ///< At least 1.
    ElfSegment segments[kMaxElfSegments]{};  ///< No two share a page. In the file's order.
    PageNumber first_page;
    u64 pages{};  ///< From the first page of the lowest segment to the last of the highest.
};

struct ElfResult {
    ElfImage image;
    const char* problem = nullptr;  ///< Why it cannot be loaded; null: it can.
};

/// Cost: linear in the program headers, at most 64 of them. PT_INTERP and PT_DYNAMIC are refused. PT_TLS is
/// passed over: setting up thread-local storage is the program's own business, as its linker script knows
/// where the initial bytes are. So is everything else that is not PT_LOAD.
ElfResult parse_elf(std::span<const u8> file);

}  // namespace tessera::kernel
