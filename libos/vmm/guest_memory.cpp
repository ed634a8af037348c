// Copies that go page by page. Not inline on purpose: the compiler cannot read the guest's bytes a second time instead
// of the copy that was made and checked.
#include "libos/vmm/guest_memory.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace tessera::vmm {
namespace {

/// Hand `piece(bytes in the page, done, count)` each page's part of a range; false as soon as a page is not there.
template <class Piece>
bool each_page(GuestMemory& memory, u64 address, u64 length, bool write, Piece piece) {
    if (!memory.contains(address, length)) return false;
    for (u64 done = 0; done < length;) {
        const u64 at = address + done, offset = at % kPageSize;
        const u64 count = std::min(length - done, kPageSize - offset);
        std::byte* const page = memory.page(at >> kPageShift, write);
        if (page == nullptr) return false;
        piece(page + offset, done, count);
        done += count;
    }
    return true;
}

u16* word_at(GuestMemory& memory, u64 address, bool write) {
    if (address % sizeof(u16) != 0 || !memory.contains(address, sizeof(u16))) return nullptr;
    std::byte* const page = memory.page(address >> kPageShift, write);
    // Safety: pages are aligned, the address is, and what is there is bytes that only atomics touch.
    return page == nullptr ? nullptr : reinterpret_cast<u16*>(page + address % kPageSize);
}

}  // namespace

bool GuestMemory::copy_in(std::span<std::byte> to, u64 from) {
    return each_page(*this, from, to.size(), false,
                     [&](const std::byte* bytes, u64 done, u64 count) { std::memcpy(&to[done], bytes, count); });
}

bool GuestMemory::copy_out(u64 to, std::span<const std::byte> from) {
    return each_page(*this, to, from.size(), true,
                     [&](std::byte* bytes, u64 done, u64 count) { std::memcpy(bytes, &from[done], count); });
}

bool GuestMemory::clear(u64 from, u64 length) {
    return each_page(*this, from, length, true, [](std::byte* bytes, u64, u64 count) { std::memset(bytes, 0, count); });
}

std::optional<u16> GuestMemory::load(u64 address) {
    u16* const word = word_at(*this, address, false);
    if (word == nullptr) return std::nullopt;
    return std::atomic_ref(*word).load(std::memory_order_acquire);
}

bool GuestMemory::store(u64 address, u16 value) {
    u16* const word = word_at(*this, address, true);
    if (word == nullptr) return false;
    std::atomic_ref(*word).store(value, std::memory_order_release);
    return true;
}

}  // namespace tessera::vmm
