#include "guests/small/program.hpp"

#include <elf.h>

#include <cstring>

// programs.S, from the list of programs in guests/rules.mk; a program without a name is the last.
extern "C" const small::Program small_programs[];

namespace small {

const Program* find_program(const char* name) {
    for (const Program* program = small_programs; program->name != nullptr; ++program)
        if (std::strcmp(program->name, name) == 0) return program;
    return nullptr;
}

bool load_program(const Program& program, AddressSpace& space, u64& entry) {
    const u64 size = static_cast<u64>(program.end - program.begin);
    Elf64_Ehdr header;
    if (size < sizeof header) return false;
    std::memcpy(&header, program.begin, sizeof header);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_phentsize != sizeof(Elf64_Phdr) ||
        header.e_phoff > size || header.e_phnum > (size - header.e_phoff) / sizeof(Elf64_Phdr))
        return false;
    for (u64 i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        std::memcpy(&segment, program.begin + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type != PT_LOAD || segment.p_memsz == 0) continue;
        if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset || segment.p_memsz > kUserEnd) return false;
        const Rights rights{(segment.p_flags & PF_W) != 0, (segment.p_flags & PF_X) != 0};
        const u64 end = (segment.p_vaddr + segment.p_memsz + kPageSize - 1) & ~(kPageSize - 1);
        if (!space.add_region({segment.p_vaddr, end, rights, program.begin + segment.p_offset, segment.p_filesz})) return false;
    }
    entry = header.e_entry;
    return space.add_region({kStackTop - kStackPages * kPageSize, kStackTop, {.write = true}, nullptr, 0});
}

}  // namespace small
