// Checks of an ELF file from outside to inside: header, program header table, each segment, the whole.
#include "exokernel/core/elf.hpp"

#include "exokernel/abi/boot_info.hpp"
#include "exokernel/core/byte_reader.hpp"

namespace tessera::kernel {
namespace {

struct FileHeader {
    u8 magic[4];
    u8 word_size, byte_order, ident_version, os_abi, os_abi_version;
    u8 padding[7];
    u16 type, machine;
    u32 version;
    u64 entry, program_headers, section_headers;
    u32 flags;
    u16 header_size, program_header_size, program_header_count;
    u16 section_header_size, section_header_count, section_names;
};
static_assert(sizeof(FileHeader) == 64);

struct ProgramHeader {
    u32 type, flags;
    u64 offset, virtual_address, physical_address, file_size, memory_size, alignment;
};
static_assert(sizeof(ProgramHeader) == 56);

enum : u32 { kTypeLoad = 1, kTypeDynamic = 2, kTypeInterpreter = 3 };
enum : u32 { kFlagExecute = 1, kFlagWrite = 2, kFlagRead = 4 };
constexpr u32 kKnownFlags = kFlagExecute | kFlagWrite | kFlagRead | kElfGuaranteed;
constexpr u64 kMaxProgramHeaders = 64;
constexpr u64 kUserEnd = kUserPages << kPageShift;

const char* check_header(const FileHeader& header) {
    if (header.magic[0] != 0x7f || header.magic[1] != 'E' || header.magic[2] != 'L' || header.magic[3] != 'F')
        return "not an ELF file";
    if (header.word_size != 2) return "not a 64-bit ELF file";
    if (header.byte_order != 1) return "not a little-endian ELF file";
    if (header.ident_version != 1 || header.version != 1) return "unknown ELF version";
    if (header.machine != 62) return "made for another machine than x86-64";
    if (header.type != 2) return "not a static executable (link it without -pie and -shared)";
    if (header.header_size != sizeof(FileHeader)) return "the ELF header has a wrong size";
    if (header.program_header_count == 0) return "no program headers";
    if (header.program_header_size != sizeof(ProgramHeader)) return "program headers have a wrong size";
    if (header.program_header_count > kMaxProgramHeaders) return "too many program headers";
    return nullptr;
}

const char* check_load(const ProgramHeader& header, u64 file_size) {
    if ((header.flags & ~kKnownFlags) != 0) return "segment has unknown flags";
    if ((header.flags & kFlagRead) == 0) return "segment is not readable";
    if ((header.flags & kFlagWrite) && (header.flags & kFlagExecute)) return "segment is writable and executable";
    if (header.memory_size == 0) return "segment is empty";
    if (header.file_size > header.memory_size) return "segment has more bytes in the file than in memory";
    if (!fits(header.offset, header.file_size, file_size)) return "segment lies outside the file";
    if (header.virtual_address % kPageSize != 0) return "segment does not begin on a page";
    if (!fits(header.virtual_address, header.memory_size, kUserEnd)) return "segment lies outside user addresses";
    if (header.memory_size > kMaxElfPages * kPageSize) return "segment is too large";
    if (header.virtual_address < kPageSize) return "segment covers page zero";
    if (header.virtual_address < kBootInfoAddress + kPageSize &&
        header.virtual_address + header.memory_size > kBootInfoAddress)
        return "segment covers the boot information";
    return nullptr;
}

ElfSegment segment_of(const ProgramHeader& header) {
    Rights rights{Right::read};
    if (header.flags & kFlagWrite) rights = rights | Right::write;
    if (header.flags & kFlagExecute) rights = rights | Right::execute;
    return ElfSegment{header.virtual_address,
                      header.memory_size,
                      header.offset,
                      header.file_size,
                      rights,
                      (header.flags & kElfGuaranteed) != 0};
}

bool share_a_page(const ElfSegment& a, const ElfSegment& b) {
    return a.first_page() < b.first_page() + b.pages() && b.first_page() < a.first_page() + a.pages();
}

const char* add_segment(ElfImage& image, const ElfSegment& segment) {
    if (image.segment_count == kMaxElfSegments) return "too many segments";
    for (u64 i = 0; i < image.segment_count; ++i) {
        if (share_a_page(image.segments[i], segment)) return "segments overlap in a page";
    }
    image.segments[image.segment_count++] = segment;
    return nullptr;
}

/// What can only be said of all segments together.
const char* complete(ElfImage& image) {
    if (image.segment_count == 0) return "nothing to load";
    PageNumber first = image.segments[0].first_page();
    PageNumber end = first;
    bool entry_found = false;
    for (u64 i = 0; i < image.segment_count; ++i) {
        const ElfSegment& segment = image.segments[i];
        if (segment.first_page() < first) first = segment.first_page();
        if (segment.first_page() + segment.pages() > end) end = segment.first_page() + segment.pages();
        entry_found |= segment.rights.has(Right::execute) && image.entry.value >= segment.address &&
                       image.entry.value < segment.end();
    }
    if (end - first > kMaxElfPages) return "image is too large";
    if (!entry_found) return "entry point is not in an executable segment";
    image.first_page = first;
    image.pages = end - first;
    return nullptr;
}

const char* parse(std::span<const u8> file, ElfImage& image) {
    const auto header = read_at<FileHeader>(file, 0);
    if (!header) return "too short for an ELF header";
    if (const char* problem = check_header(*header)) return problem;
    if (!fits(header->program_headers, u64{header->program_header_count} * sizeof(ProgramHeader), file.size()))
        return "program headers lie outside the file";

    image.entry = VirtAddr{header->entry};
    for (u64 i = 0; i < header->program_header_count; ++i) {
        const auto program = read_at<ProgramHeader>(file, header->program_headers + i * sizeof(ProgramHeader));
        if (!program) return "program headers lie outside the file";
        if (program->type == kTypeInterpreter) return "asks for an interpreter";
        if (program->type == kTypeDynamic) return "asks for dynamic linking";
        if (program->type != kTypeLoad) continue;
        if (const char* problem = check_load(*program, file.size())) return problem;
        if (const char* problem = add_segment(image, segment_of(*program))) return problem;
    }
    return complete(image);
}

}  // namespace

ElfResult parse_elf(std::span<const u8> file) {
    ElfResult result;
    result.problem = parse(file, result.image);
    return result;
}

}  // namespace tessera::kernel
