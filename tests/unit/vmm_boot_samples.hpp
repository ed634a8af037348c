// Kernels made in code: ELF files of both sizes, a bzImage, and multiboot headers, good ones to be spoilt.
#pragma once

#include <cstring>

#include "tests/unit/byte_writer.hpp"
#include "tests/unit/elf_samples.hpp"
#include "tests/unit/vmm_machine.hpp"

namespace tessera::test {

inline std::span<const std::byte> as_file(const std::vector<u8>& bytes) { return std::as_bytes(std::span(bytes)); }

/// An i386 ELF file with one segment.
struct Elf32Sample {
    u64 machine = 3, entry = 0x10'0010, physical = 0x10'0000, virtual_address = 0x10'0000;
    u64 offset = 0x100, file_size = 0x200, memory_size = 0x1000;

    std::vector<u8> bytes() const {
        ByteWriter out;
        out.put(0x464c'457f, 4).put(1, 1).put(1, 1).put(1, 1).put(0, 9);
        out.put(2, 2).put(machine, 2).put(1, 4).put(entry, 4).put(52, 4).put(0, 4).put(0, 4);
        out.put(52, 2).put(32, 2).put(1, 2).put(0, 6);
        out.put(1, 4).put(offset, 4).put(virtual_address, 4).put(physical, 4);
        out.put(file_size, 4).put(memory_size, 4).put(7, 4).put(0x1000, 4);
        std::vector<u8> file = out.bytes();
        file.resize(0x100 + 0x200);
        for (u64 i = 0x100; i < file.size(); ++i) file[i] = static_cast<u8>(i * 7);
        return file;
    }
};

/// A Linux bzImage: boot sector with header, setup code, and what is loaded.
struct BzImageSample {
    u64 setup_sectors = 2, boot_flag = 0xaa55, magic = 0x5372'6448, version = 0x20f, jump = 0x6a;
    u64 xloadflags = 1, command_line_size = 2047, pref_address = 0x100'0000, init_size = 0x20'0000,
        initrd_max = 0x7fff'ffff;
    u64 code_size = 0x3000;

    std::vector<u8> bytes() const {
        std::vector<u8> file((setup_sectors + 1) * 512 + code_size);
        const auto put = [&](u64 at, u64 value, u64 size) {
            for (u64 i = 0; i < size && at + i < file.size(); ++i) file[at + i] = static_cast<u8>(value >> 8 * i);
        };
        put(0x1f1, setup_sectors, 1);
        put(0x1fe, boot_flag, 2);
        put(0x200, 0xeb | jump << 8, 2);
        put(0x202, magic, 4);
        put(0x206, version, 2);
        put(0x22c, initrd_max, 4);
        put(0x230, 0x20'0000, 4);
        put(0x236, xloadflags, 2);
        put(0x238, command_line_size, 4);
        put(0x258, pref_address, 8);
        put(0x260, init_size, 4);
        for (u64 i = (setup_sectors + 1) * 512; i < file.size(); ++i) file[i] = static_cast<u8>(i * 11);
        return file;
    }
};

/// A flat kernel whose multiboot header says where it goes.
struct FlatSample {
    u64 magic = 0x1bad'b002, flags = 0x1'0003, offset = 0x40;
    u64 header_address = 0x10'0040, load_address = 0x10'0000, load_end = 0, bss_end = 0, entry = 0x10'0080;
    u64 size = 0x2000;
    u64 wrong_by = 0;

    std::vector<u8> bytes() const {
        ByteWriter out;
        out.put(0, offset);
        out.put(magic, 4).put(flags, 4).put(-(magic + flags) + wrong_by, 4);
        out.put(header_address, 4).put(load_address, 4).put(load_end, 4).put(bss_end, 4).put(entry, 4);
        std::vector<u8> file = out.bytes();
        file.resize(size);
        return file;
    }
};

/// The multiboot header without addresses, put into an ELF file where nothing else is.
inline std::vector<u8> with_header(std::vector<u8> elf, u64 offset) {
    FlatSample header;
    header.flags = 3;
    header.offset = 0;
    const std::vector<u8> bytes = header.bytes();
    if (elf.size() < offset + 12) elf.resize(offset + 12);
    std::memcpy(&elf[offset], bytes.data(), 12);
    return elf;
}

}  // namespace tessera::test
