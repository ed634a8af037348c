// Boot information made in code, tag by tag, as GRUB hands it over.
#pragma once

#include <string_view>
#include <vector>

#include "tests/unit/byte_writer.hpp"

namespace tessera::test {

class BootSample {
  public:
    BootSample& tag(u64 type, const std::vector<u8>& payload) { return tag(type, payload, 8 + payload.size()); }

    /// With a size that may be a lie.
    BootSample& tag(u64 type, const std::vector<u8>& payload, u64 claimed_size) {
        tags_.put(type, 4).put(claimed_size, 4).put(payload).pad_to(8);
        return *this;
    }
    BootSample& command_line(std::string_view text) { return tag(1, ByteWriter{}.put(text).put(0, 1).bytes()); }
    BootSample& module(u64 start, u64 end, std::string_view text) {
        return tag(3, ByteWriter{}.put(start, 4).put(end, 4).put(text).put(0, 1).bytes());
    }
    struct Region {
        u64 base, length, type;
    };
    BootSample& memory_map(const std::vector<Region>& regions, u64 entry_size = 24) {
        ByteWriter out;
        out.put(entry_size, 4).put(0, 4);
        for (const Region& region : regions) {
            out.put(region.base, 8).put(region.length, 8).put(region.type, 4).put(0, 4);
            for (u64 i = 24; i < entry_size; ++i) out.put(0xee, 1);
        }
        return tag(6, out.bytes());
    }
    BootSample& end() { return tag(0, {}); }

    std::vector<u8> bytes() const { return bytes(8 + tags_.size()); }
    std::vector<u8> bytes(u64 claimed_size) const {
        return ByteWriter{}.put(claimed_size, 4).put(0, 4).put(tags_.bytes()).bytes();
    }

  private:
    ByteWriter tags_;
};

/// A PC with 128 MiB, two modules, and firmware tables.
inline BootSample good_boot_without_end() {
    BootSample sample;
    sample.command_line("policy=keep tlb.entries=64")
        .tag(2, ByteWriter{}.put("GRUB 2.06").put(0, 1).bytes())
        .module(0x20'0000, 0x20'8123, "name=hello")
        .module(0x20'9000, 0x21'0000, "name=pager frames=64 -- --verbose")
        .memory_map({{0, 0x9'fc00, 1}, {0x9'fc00, 0x400, 2}, {0x10'0000, 0x7ee'0000, 1}, {0xfffc'0000, 0x4'0000, 2}})
        .tag(14, ByteWriter{}.put("RSD PTR ").put(0, 12).bytes())
        .tag(15, ByteWriter{}.put("RSD PTR ").put(2, 28).bytes());
    return sample;
}
inline BootSample good_boot() { return good_boot_without_end().end(); }

}  // namespace tessera::test
