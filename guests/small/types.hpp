// The words that every file of the guest uses. The guest is a kernel of its own: it includes nothing of the house.
#pragma once

#include <cstddef>
#include <cstdint>

namespace small {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i64 = std::int64_t;

inline constexpr u64 kPageSize = 4096;

/// A frame of guest-physical memory. All of it that the kernel uses lies at the same address in every address space,
/// so a frame can be looked into at any time.
struct Frame {
    u64 address{};
    bool operator==(const Frame&) const = default;
    explicit operator bool() const { return address != 0; }
    template <class T = u8>
    T* as() const {
        // Safety: the machine's layer keeps all memory between memory_begin and memory_end identity-mapped.
        return reinterpret_cast<T*>(address);
    }
};

/// What may be done to a page. Reading is always allowed.
struct Rights {
    bool write{}, execute{};
};

}  // namespace small
