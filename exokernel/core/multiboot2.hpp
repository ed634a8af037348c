// What the boot loader says: command line, memory map, modules, firmware tables (Multiboot2 specification
// 2.0, section 3.6). A list of tags, hostile like any input:
//
//   total size (32) | zero (32) | tag | tag | ... | end tag
//   tag: type (32) | size (32, header included) | payload | padding to a multiple of 8
//
// Nothing is copied but numbers: the strings stay in the loader's memory.
#pragma once

#include <span>
#include <string_view>

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

/// Bytes [base, base + length) of physical addresses. Never empty, never wraps.
struct MemoryRegion {
    u64 base, length;
    bool usable;  ///< RAM that nobody claims: type 1.

    constexpr u64 end() const { return base + length; }
};

/// A file that the loader put at physical addresses [start, end).
struct BootModule {
    u64 start, end;
    std::string_view command_line;
    const char* problem;  ///< Why this module must not be used; null: it lies in usable memory, alone.
};

inline constexpr u64 kMaxMemoryRegions = 128;
inline constexpr u64 kMaxBootModules = 32;

struct BootInformation {
    const char* problem = nullptr;  ///< Why nothing here can be relied on; null: everything but bad modules can.
    std::string_view command_line;
    MemoryRegion regions[kMaxMemoryRegions]{};  ///< A usable one overlaps no other. In the loader's order.
    u64 region_count{};
    BootModule modules[kMaxBootModules]{};
    u64 module_count{};
    bool efi = false;  ///< The loader was itself loaded by EFI firmware.
    std::span<const u8> rsdp;  ///< The copy of the ACPI root pointer, within the tags, the newest kind; empty: none.
};

/// Parse the tags in `info`, whose size is what may be read: the loader's total size may claim less, not more.
/// Cost: linear in the tags, quadratic in regions and in modules (both bounded).
BootInformation parse_multiboot2(std::span<const u8> info);

}  // namespace tessera::kernel
