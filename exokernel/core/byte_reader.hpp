// Reading structures out of bytes that somebody else wrote, without ever looking behind their end.
#pragma once

#include <optional>
#include <span>
#include <type_traits>

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

/// Do `length` bytes from `offset` on lie within `size`? No sum is made that could wrap.
constexpr bool fits(u64 offset, u64 length, u64 size) { return offset <= size && length <= size - offset; }

/// A copy of the T at `offset`, aligned or not; empty when it does not lie within `bytes`.
template <class T>
std::optional<T> read_at(std::span<const u8> bytes, u64 offset) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (!fits(offset, sizeof(T), bytes.size())) return std::nullopt;
    T value;
    __builtin_memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

}  // namespace tessera::kernel
