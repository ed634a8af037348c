// Who gets a port, and taking apart what no single device answers.
#include "libos/vmm/devices/ports.hpp"

namespace tessera::vmm {
namespace {

constexpr bool is_size(u32 size) { return size == 1 || size == 2 || size == 4; }

}  // namespace

bool Ports::add(u16 first, u16 last, u32 width, PortDevice& device) {
    if (count_ == kMost || first > last || !is_size(width)) return false;
    if (last >= kBus && (first != kBus || last != 0xffff || bus_ != 0)) return false;
    const u8 sizes = static_cast<u8>(1 << 1 | (width >= 2) << 2 | (width == 4) << 4);
    ranges_[++count_] = {last, sizes, &device};
    if (first == kBus) return bus_ = static_cast<u8>(count_), true;
    for (u32 port = first; port <= last; ++port)
        if (owner_[port] == 0) owner_[port] = static_cast<u8>(count_);
    return true;
}

u32 Ports::read_in_pieces(u16 port, u32 size) {
    if (!is_size(size)) return ~u32{0};
    if (size > 1) {
        // Order: as the bus does, the lower address first.
        const u32 half = size / 2, low = read(port, half);
        return low | read(static_cast<u16>(port + half), half) << 8 * half;
    }
    if (unknown_.first(port)) log_.note("ports", "a read where nothing is", port);
    return all_ones(size);
}

void Ports::write_in_pieces(u16 port, u32 size, u32 value) {
    if (!is_size(size)) return;
    if (size > 1) {
        const u32 half = size / 2;
        write(port, half, value & all_ones(half));
        return write(static_cast<u16>(port + half), half, value >> 8 * half);
    }
    if (unknown_.first(0x1'0000 | port)) log_.note("ports", "a write where nothing is", port);
}

}  // namespace tessera::vmm
