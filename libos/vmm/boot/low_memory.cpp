// The descriptors, and how they look in a register.
#include "libos/vmm/boot/low_memory.hpp"

namespace tessera::vmm {
namespace {

// Flat, ring 0, accessed already, so that loading one writes nothing (AMD64 APM vol. 2, 4.7 and 4.8).
constexpr u16 kCode64 = 0xa9b, kCode32 = 0xc9b, kData = 0xc93, kBusyTss = 0x8b;
constexpr u16 kCodeSelector = 0x10, kDataSelector = 0x18;

constexpr SegmentStart flat(u16 selector, u16 attributes) { return {selector, attributes, 0xffff'ffff, 0}; }

/// The descriptor of a flat segment with these attributes.
constexpr u64 descriptor(u16 attributes) {
    return u64{0xffff} | u64{attributes & 0xffu} << 40 | u64{0xf} << 48 | u64{attributes >> 8 & 0xfu} << 52;
}
static_assert(descriptor(kCode64) == 0x00af'9b00'0000'ffff && descriptor(kData) == 0x00cf'9300'0000'ffff);

}  // namespace

const char* check_size(const GuestMemory& memory) {
    if (memory.frames() < kFewestFrames) return "a guest needs 2 MiB of memory at least";
    if (memory.frames() > kMostFrames) return "a guest cannot have more than 3 GiB of memory";
    return nullptr;
}

bool write_segments(GuestMemory& memory, bool long_mode, StartState& state) {
    const u16 code = long_mode ? kCode64 : kCode32;
    const u64 gdt[] = {0, 0, descriptor(code), descriptor(kData)};
    state.cs = flat(kCodeSelector, code);
    state.data = flat(kDataSelector, kData);
    state.tr = {0, kBusyTss, 0x67, 0};
    state.gdtr = {0, 0, sizeof gdt - 1, kBootGdt};
    return memory.write(kBootGdt, gdt);
}

}  // namespace tessera::vmm
