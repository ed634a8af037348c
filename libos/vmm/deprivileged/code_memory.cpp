#include "libos/vmm/deprivileged/code_memory.hpp"

#include <algorithm>

namespace tessera::vmm {

bool LinearCode::read(u64 address, u8* to, u64 length) {
    while (length != 0) {
        const u64 part = std::min(length, kPageSize - address % kPageSize);
        const auto from = physical(address);
        if (!from || !memory_.copy_in(std::as_writable_bytes(std::span(to, part)), *from)) return false;
        address += part;
        to += part;
        length -= part;
    }
    return true;
}

// Whoever asks for a byte's name remembers what it is: so a write to it has to be noticed.
u64 LinearCode::identity(u64 address) {
    const auto at = physical(address);
    if (!at) return ~u64{0};
    if (!shadow_.is_watched(*at >> kPageShift)) shadow_.watch(*at >> kPageShift);
    return *at;
}

void LinearCode::patch(u64 address, u8 byte) {
    const auto to = physical(address);
    if (to) memory_.write(*to, byte);
}

bool PhysicalCode::read(u64 address, u8* to, u64 length) {
    return memory_.copy_in(std::as_writable_bytes(std::span(to, length)), address);
}

void PhysicalCode::patch(u64 address, u8 byte) { memory_.write(address, byte); }

}  // namespace tessera::vmm
