#include "libos/vmm/paravirt/note.hpp"

#include <elf.h>

#include <cstring>

#include "libos/vmm/boot/reader.hpp"

namespace tessera::vmm::paravirt {
namespace {

/// The notes in one segment: sizes of name and descriptor, type, and both, each filled up to a multiple of four.
bool is_in(std::span<const std::byte> notes) {
    constexpr auto filled = [](u64 size) { return (size + 3) & ~u64{3}; };
    for (u64 at = 0;;) {
        const auto header = read_at<Elf64_Nhdr>(notes, at);
        if (!header) return false;
        const u64 name = at + sizeof *header, version = name + filled(header->n_namesz);
        const auto found = read_at<u32>(notes, version);
        if (found && header->n_type == kNoteType && header->n_namesz == sizeof kNoteName && header->n_descsz == sizeof(u32) &&
            std::memcmp(notes.data() + name, kNoteName, sizeof kNoteName) == 0)
            return *found == kVersion;
        at = version + filled(header->n_descsz);
    }
}

}  // namespace

bool has_note(std::span<const std::byte> file) {
    const auto header = read_at<Elf64_Ehdr>(file, 0);
    if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64) return false;
    if (header->e_phentsize != sizeof(Elf64_Phdr)) return false;
    for (u64 i = 0; i < header->e_phnum; ++i) {
        if (header->e_phoff > file.size()) return false;
        const auto segment = read_at<Elf64_Phdr>(file, header->e_phoff + i * sizeof(Elf64_Phdr));
        if (!segment) return false;
        if (segment->p_type == PT_NOTE && fits(segment->p_offset, segment->p_filesz, file.size()) &&
            is_in(file.subspan(segment->p_offset, segment->p_filesz)))
            return true;
    }
    return false;
}

}  // namespace tessera::vmm::paravirt
