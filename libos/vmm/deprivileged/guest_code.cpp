#include "libos/vmm/deprivileged/guest_code.hpp"

#include <algorithm>

namespace tessera::vmm {

std::optional<u64> GuestCode::physical(u64 address) {
    const Walk found = walk(memory_, shadow_.mode(), guest_page(address), {.fetch = true});
    if (found.result == WalkResult::fault || found.guest_frame >= memory_.frames()) return {};
    return found.guest_frame << kPageShift | address % kPageSize;
}

bool GuestCode::read(u64 address, u8* to, u64 length) {
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

u64 GuestCode::identity(u64 address) { return physical(address).value_or(~u64{0}); }

void GuestCode::patch(u64 address, u8 byte) {
    const auto to = physical(address);
    if (!to) return;
    memory_.write(*to, byte);
    shadow_.watch(*to >> kPageShift);
}

bool PhysicalCode::read(u64 address, u8* to, u64 length) {
    return memory_.copy_in(std::as_writable_bytes(std::span(to, length)), address);
}

void PhysicalCode::patch(u64 address, u8 byte) { memory_.write(address, byte); }

}  // namespace tessera::vmm
