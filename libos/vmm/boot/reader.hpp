// Structures out of a file that somebody else made.
#pragma once

#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

#include "exokernel/abi/types.hpp"

namespace tessera::vmm {

/// Do `length` bytes from `offset` on lie within `size`? No sum is made that could wrap.
constexpr bool fits(u64 offset, u64 length, u64 size) { return offset <= size && length <= size - offset; }

/// A copy of the T at `offset`; empty when it does not lie in the file.
template <class T>
std::optional<T> read_at(std::span<const std::byte> file, u64 offset) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (!fits(offset, sizeof(T), file.size())) return std::nullopt;
    T value;
    std::memcpy(&value, file.data() + offset, sizeof value);
    return value;
}

}  // namespace tessera::vmm
