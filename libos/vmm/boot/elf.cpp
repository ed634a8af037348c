// Both sizes of ELF by one text; the layouts are those of <elf.h>.
#include "libos/vmm/boot/elf.hpp"

#include <elf.h>

#include <algorithm>

#include "libos/vmm/boot/reader.hpp"

namespace tessera::vmm {
namespace {

constexpr u32 kMostHeaders = 64;

/// No two segments may have a byte in common; that they share a page is well.
bool overlap(const KernelSegment& a, const KernelSegment& b) {
    return a.physical < b.physical + b.memory_size && b.physical < a.physical + a.memory_size;
}

template <class ProgramHeader>
const char* add_segment(KernelFile& kernel, const ProgramHeader& header, std::span<const std::byte> file) {
    if (header.p_memsz == 0) return nullptr;
    if (header.p_filesz > header.p_memsz) return "a segment has more bytes in the file than in memory";
    if (!fits(header.p_offset, header.p_filesz, file.size())) return "a segment lies outside of the file";
    if (header.p_paddr < kKernelsBegin) return "a segment lies in the first megabyte";
    // So small that no sum wraps; whether there is as much memory is seen when it is placed.
    constexpr u64 kHighest = u64{1} << 40;
    if (!fits(header.p_paddr, header.p_memsz, kHighest)) return "a segment lies where no memory can be";
    if (kernel.count == KernelFile::kMostSegments) return "too many segments";
    const KernelSegment segment{header.p_paddr, header.p_memsz, header.p_vaddr,
                                file.subspan(header.p_offset, header.p_filesz)};
    for (u32 i = 0; i < kernel.count; ++i)
        if (overlap(kernel.segments[i], segment)) return "segments overlap";
    kernel.segments[kernel.count++] = segment;
    kernel.end = std::max<u64>(kernel.end, segment.physical + segment.memory_size);
    return nullptr;
}

const char* find_entry(KernelFile& kernel, u64 entry) {
    for (u32 i = 0; i < kernel.count; ++i) {
        const KernelSegment& segment = kernel.segments[i];
        if (entry - segment.physical < segment.bytes.size()) {
            kernel.entry = entry;
            return nullptr;
        }
    }
    for (u32 i = 0; i < kernel.count; ++i) {
        const KernelSegment& segment = kernel.segments[i];
        if (entry - segment.virtual_address < segment.bytes.size()) {
            kernel.entry = entry - segment.virtual_address + segment.physical;
            return nullptr;
        }
    }
    return "the entry point is not in the kernel";
}

template <class FileHeader, class ProgramHeader>
const char* parse(std::span<const std::byte> file, u32 machine, KernelFile& kernel) {
    const auto header = read_at<FileHeader>(file, 0);
    if (!header) return "too short for an ELF header";
    if (header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_version != EV_CURRENT) return "not an ELF file for x86";
    if (header->e_machine != machine) return "made for another machine than x86";
    if (header->e_type != ET_EXEC) return "not a static executable";
    if (header->e_phentsize != sizeof(ProgramHeader)) return "program headers have a wrong size";
    if (header->e_phnum == 0 || header->e_phnum > kMostHeaders) return "no program headers, or too many";
    if (!fits(header->e_phoff, u64{header->e_phnum} * sizeof(ProgramHeader), file.size()))
        return "program headers lie outside of the file";
    for (u32 i = 0; i < header->e_phnum; ++i) {
        const auto program = read_at<ProgramHeader>(file, header->e_phoff + u64{i} * sizeof(ProgramHeader));
        if (!program) return "program headers lie outside of the file";
        if (program->p_type == PT_INTERP || program->p_type == PT_DYNAMIC) return "asks for dynamic linking";
        if (program->p_type != PT_LOAD) continue;
        if (const char* problem = add_segment(kernel, *program, file)) return problem;
    }
    if (kernel.count == 0) return "nothing to load";
    return find_entry(kernel, header->e_entry);
}

}  // namespace

bool is_elf(std::span<const std::byte> file) {
    return file.size() >= EI_NIDENT && std::memcmp(file.data(), ELFMAG, SELFMAG) == 0;
}

KernelResult parse_kernel(std::span<const std::byte> file) {
    KernelResult result;
    if (!is_elf(file))
        result.problem = "not an ELF file";
    else if (file[EI_CLASS] == std::byte{ELFCLASS64})
        result.problem = parse<Elf64_Ehdr, Elf64_Phdr>(file, EM_X86_64, result.kernel);
    else if (file[EI_CLASS] == std::byte{ELFCLASS32})
        result.problem = parse<Elf32_Ehdr, Elf32_Phdr>(file, EM_386, result.kernel);
    else
        result.problem = "an ELF file of no known class";
    return result;
}

const char* place_kernel(const KernelFile& kernel, GuestMemory& memory, Placer& placer) {
    for (u32 i = 0; i < kernel.count; ++i) {
        const KernelSegment& segment = kernel.segments[i];
        if (!memory.contains(segment.physical, segment.memory_size))
            return "the kernel needs more memory than the guest has";
        if (!placer.place(segment.physical, segment.bytes)) return "the kernel could not be put in place";
    }
    return nullptr;
}

}  // namespace tessera::vmm
