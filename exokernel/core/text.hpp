// Putting text together without allocation: a fixed buffer, numbers by <charconv>. Too much is cut off.
#pragma once

#include <charconv>
#include <concepts>
#include <string_view>

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

struct Hex {
    u64 value;
};

template <u64 N>
class Text {
  public:
    template <class... Parts>
    explicit Text(const Parts&... parts) { (add(parts), ...); }
    Text() = default;

    Text& add(std::string_view text) {
        for (const char c : text)
            if (length_ < N) data_[length_++] = c;
        return *this;
    }
    Text& add(const char* text) { return add(std::string_view{text}); }
    Text& add(char c) { return add(std::string_view{&c, 1}); }
    Text& add(bool value) { return add(value ? "true" : "false"); }
    template <std::unsigned_integral T>
    Text& add(T value) {
        const auto end = std::to_chars(data_ + length_, data_ + N, u64{value});
        if (end.ec == std::errc{}) length_ = static_cast<u64>(end.ptr - data_);
        return *this;
    }
    Text& add(int value) { return add(static_cast<u64>(value < 0 ? 0 : value)); }
    Text& add(Hex value) {
        add("0x");
        const auto end = std::to_chars(data_ + length_, data_ + N, value.value, 16);
        if (end.ec == std::errc{}) length_ = static_cast<u64>(end.ptr - data_);
        return *this;
    }
    std::string_view view() const { return {data_, length_}; }

  private:
    char data_[N];
    u64 length_ = 0;
};

}  // namespace tessera::kernel
