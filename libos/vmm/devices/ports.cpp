// The look-up of ports, and taking apart what no single device answers.
#include "libos/vmm/devices/ports.hpp"

namespace tessera::vmm {
namespace {

constexpr bool is_size(u32 size) { return size == 1 || size == 2 || size == 4; }

}  // namespace

bool Ports::add(u16 first, u16 last, u32 width, PortDevice& device) {
    if (count_ == kMost || first > last || !is_size(width)) return false;
    ranges_[count_++] = {first, last, width, &device};
    return true;
}

inline const Ports::Range* Ports::find(u16 port) const {
    for (u32 i = 0; i < count_; ++i)
        if (port >= ranges_[i].first && port <= ranges_[i].last) return &ranges_[i];
    return nullptr;
}

/// The range that takes the access in one piece.
inline const Ports::Range* Ports::whole(u16 port, u32 size) const {
    const Range* const range = find(port);
    return range != nullptr && size <= range->width && u32{port} + size - 1 <= range->last ? range : nullptr;
}

u32 Ports::read(u16 port, u32 size) {
    if (!is_size(size)) return ~u32{0};
    if (const Range* const range = whole(port, size)) return range->device->read(port, size) & all_ones(size);
    if (size > 1) {
        // Order: as the bus does, the lower address first.
        const u32 half = size / 2, low = read(port, half);
        return low | read(static_cast<u16>(port + half), half) << 8 * half;
    }
    if (unknown_.first(port)) log_.note("ports", "a read where nothing is", port);
    return all_ones(size);
}

void Ports::write(u16 port, u32 size, u32 value) {
    if (!is_size(size)) return;
    value &= all_ones(size);
    if (const Range* const range = whole(port, size)) return range->device->write(port, size, value);
    if (size > 1) {
        const u32 half = size / 2;
        write(port, half, value & all_ones(half));
        return write(static_cast<u16>(port + half), half, value >> 8 * half);
    }
    if (unknown_.first(0x1'0000 | port)) log_.note("ports", "a write where nothing is", port);
}

}  // namespace tessera::vmm
