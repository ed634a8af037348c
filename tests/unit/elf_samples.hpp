// ELF files made in code: a good one, whose fields tests then spoil one at a time.
#pragma once

#include <vector>

#include "tests/unit/byte_writer.hpp"

namespace tessera::test {

struct ElfSampleSegment {
    u64 type = 1;
    u64 flags = 4;  // readable
    u64 offset = 0x1000;
    u64 address = 0x40'0000;
    u64 file_size = 0x10;
    u64 memory_size = 0x10;
};

struct ElfSample {
    u64 magic = 0x464c'457f;
    u64 word_size = 2, byte_order = 1, ident_version = 1, type = 2, machine = 62, version = 1;
    u64 entry = 0x40'0010;
    u64 table_offset = 64, header_size = 64, entry_size = 56;
    std::vector<ElfSampleSegment> segments;
    u64 claimed_segments = ~u64{0};  // as many as there are
    u64 file_size = 0x4000;

    std::vector<u8> bytes() const {
        const u64 count = claimed_segments == ~u64{0} ? segments.size() : claimed_segments;
        ByteWriter out;
        out.put(magic, 4).put(word_size, 1).put(byte_order, 1).put(ident_version, 1).put(0, 9);
        out.put(type, 2).put(machine, 2).put(version, 4).put(entry, 8).put(table_offset, 8).put(0, 8).put(0, 4);
        out.put(header_size, 2).put(entry_size, 2).put(count, 2).put(0, 6);
        for (const ElfSampleSegment& segment : segments) {
            out.put(segment.type, 4).put(segment.flags, 4).put(segment.offset, 8).put(segment.address, 8);
            out.put(segment.address, 8).put(segment.file_size, 8).put(segment.memory_size, 8).put(0x1000, 8);
        }
        std::vector<u8> file = out.bytes();
        file.resize(file_size);
        return file;
    }
};

/// Code, read-only data, and data with zeros behind it that the linker asked to be guaranteed.
inline ElfSample good_elf() {
    ElfSample sample;
    sample.segments = {
        {.flags = 5, .offset = 0x1000, .address = 0x40'0000, .file_size = 0x800, .memory_size = 0x800},
        {.flags = 4, .offset = 0x2000, .address = 0x40'1000, .file_size = 0x1800, .memory_size = 0x1800},
        {.flags = 6 | 0x10'0000, .offset = 0x3800, .address = 0x40'3000, .file_size = 0x20, .memory_size = 0x5001},
        {.type = 0x6474'e551, .flags = 6, .offset = 0, .address = 0, .file_size = 0, .memory_size = 0},
    };
    return sample;
}

}  // namespace tessera::test
