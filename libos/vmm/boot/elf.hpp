// A guest kernel as an ELF file: x86-64 or i386, static, loaded by physical addresses (System V ABI, chapters 4, 5).
//
// The file comes from whoever made the guest: it may be anything. Parsing writes nothing, and either describes a kernel
// that can be loaded or says in one sentence why not.
#pragma once

#include "libos/vmm/boot/placer.hpp"

namespace tessera::vmm {

/// One PT_LOAD. What the file does not give of its memory is zero.
struct KernelSegment {
    u64 physical, memory_size;
    u64 virtual_address;
    std::span<const std::byte> bytes;  ///< At most memory_size.
};

struct KernelFile {
    static constexpr u32 kMostSegments = 16;

    u64 entry = 0;  ///< Physical, among the bytes of one of the segments.
    u64 end = 0;    ///< Behind the last segment, physical.
    u32 count = 0;
    KernelSegment segments[kMostSegments]{};
};

struct KernelResult {
    KernelFile kernel;
    const char* problem = nullptr;
};

/// Nothing of a kernel may be below: loaders put what they hand over there.
inline constexpr u64 kKernelsBegin = 0x10'0000;

bool is_elf(std::span<const std::byte> file);
/// An entry point that is no physical address of the kernel is taken for a virtual one and translated.
KernelResult parse_kernel(std::span<const std::byte> file);
/// Put the segments in place. Null, or why that is not possible.
const char* place_kernel(const KernelFile& kernel, GuestMemory& memory, Placer& placer);

}  // namespace tessera::vmm
