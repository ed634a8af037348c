#include "libos/vmm/shadow/guest_space.hpp"

#include <algorithm>
#include <cstring>

namespace tessera::vmm {

bool GuestSpace::look(PageNumber page, Access access, u64& frame, u32& code) {
    constexpr u32 kAttempts = 8;  // for a walk whose tables another CPU changes
    Walk found;
    for (u32 i = 0; i < kAttempts; ++i) {
        found = walk(memory_, shadow_.mode(), page, access);
        code = found.code;
        if (found.result == WalkResult::fault) return false;
        if (note_access(memory_, found, access.write)) break;
    }
    frame = found.guest_frame;
    const u64 key = key_of(page, access);
    place_of(key) = {key, shadow_.holds_until(found), frame};
    return true;
}

/// Where a range lies that is in one page, translated and there. nullptr: the long way.  Hot.
inline std::byte* GuestSpace::reach(u64 address, u64 length, Access access) {
    const u64 offset = address % kPageSize;
    u64 frame;
    u32 code;
    if (length > kPageSize - offset || !translate(guest_page(address), access, frame, code) || frame >= memory_.frames()) return nullptr;
    // Order: whoever watches it is told first, and may then look at other pages; this one is good until the next look at one.
    if (access.write) shadow_.written(frame);
    std::byte* page = memory_.page(frame, access.write);
    return page != nullptr ? page + offset : nullptr;
}

/// Call `each(guest frame, offset, length)` for the part of the range in each page, as long as the tables allow it.
template <class Each>
bool GuestSpace::for_each_page(u64 address, u64 length, Access access, Exception& fault, Each&& each) {
    while (length != 0) {
        const u64 offset = address % kPageSize, part = std::min(length, kPageSize - offset);
        u64 frame;
        u32 code;
        if (!translate(guest_page(address), access, frame, code)) {
            fault = Exception::page_fault(address, code);
            return false;
        }
        each(frame, offset, part);
        address += part;
        length -= part;
    }
    return true;
}

bool GuestSpace::check(u64 address, u64 length, Access access, Exception& fault) {
    return for_each_page(address, length, access, fault, [](u64, u64, u64) {});
}

bool GuestSpace::read(u64 address, void* to, u64 length, Access access, Exception& fault) {
    if (const std::byte* from = reach(address, length, access)) [[likely]] {
        std::memcpy(to, from, length);
        return true;
    }
    auto* out = static_cast<std::byte*>(to);
    return for_each_page(address, length, access, fault, [&](u64 frame, u64 offset, u64 part) {
        const std::byte* page = frame < memory_.frames() ? memory_.page(frame, false) : nullptr;
        if (page)
            std::memcpy(out, page + offset, part);
        else
            std::memset(out, 0xff, part);
        out += part;
    });
}

bool GuestSpace::write(u64 address, const void* from, u64 length, Access access, Exception& fault) {
    access.write = true;
    if (std::byte* to = reach(address, length, access)) [[likely]] {
        std::memcpy(to, from, length);
        return true;
    }
    if (!check(address, length, access, fault)) return false;
    const auto* in = static_cast<const std::byte*>(from);
    return for_each_page(address, length, access, fault, [&](u64 frame, u64 offset, u64 part) {
        shadow_.written(frame);
        if (std::byte* page = frame < memory_.frames() ? memory_.page(frame, true) : nullptr) std::memcpy(page + offset, in, part);
        in += part;
    });
}

}  // namespace tessera::vmm
