#include "libos/vmm/monitor/guest_walk.hpp"

#include "libos/vmm/shadow/walker.hpp"

namespace tessera::vmm {
namespace {

// Two levels of 32-bit entries, with 4 MiB pages where CR4.PSE has them.
std::optional<u64> walk_narrow(GuestMemory& memory, PagingRegisters registers, u64 linear) {
    const auto directory = memory.read<u32>((registers.cr3 & 0xffff'f000) + (linear >> 22 & 0x3ff) * 4);
    if (!directory || !(*directory & entry::kPresent)) return {};
    if ((*directory & entry::kLarge) && (registers.cr4 & cr4::kPageSizeExtensions)) {
        const u64 high = *directory >> 13 & 0xff;
        return high << 32 | (*directory & 0xffc0'0000) | (linear & 0x3f'ffff);
    }
    const auto table = memory.read<u32>((*directory & 0xffff'f000) + (linear >> 12 & 0x3ff) * 4);
    if (!table || !(*table & entry::kPresent)) return {};
    return u64{*table & 0xffff'f000} | (linear & 0xfff);
}

}  // namespace

std::optional<u64> walk(GuestMemory& memory, PagingRegisters registers, u64 linear) {
    if (!(registers.cr0 & cr0::kPaging)) return linear & 0xffff'ffff;
    if (!(registers.cr4 & cr4::kPae)) return walk_narrow(memory, registers, linear);
    const bool is_long = registers.efer & efer::kLongActive;
    // Four levels, or three of which the first has four entries at a multiple of 32 bytes.
    u64 table = is_long ? registers.cr3 & entry::kAddress : registers.cr3 & 0xffff'ffe0;
    for (int level = is_long ? 4 : 3; level > 0; --level) {
        const int shift = 12 + 9 * (level - 1);
        const u64 index = linear >> shift & (is_long || level < 3 ? 0x1ff : 3);
        const auto found = memory.read<u64>(table + index * 8);
        if (!found || !(*found & entry::kPresent)) return {};
        const bool is_page = level == 1 || (level < 4 && (*found & entry::kLarge) && (is_long || level == 2));
        if (is_page) {
            const u64 offset = (u64{1} << shift) - 1;
            return (*found & entry::kAddress & ~offset) | (linear & offset);
        }
        table = *found & entry::kAddress;
    }
    return {};
}

}  // namespace tessera::vmm
