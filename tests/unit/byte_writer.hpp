// Puts structures together byte by byte, for parsers to take apart.
#pragma once

#include <string_view>
#include <vector>

#include "exokernel/abi/types.hpp"

namespace tessera::test {

class ByteWriter {
  public:
    /// `value` in `size` bytes, little-endian.
    ByteWriter& put(u64 value, u64 size) {
        for (u64 i = 0; i < size; ++i) bytes_.push_back(static_cast<u8>(i < 8 ? value >> 8 * i : 0));
        return *this;
    }
    ByteWriter& put(std::string_view text) {
        bytes_.insert(bytes_.end(), text.begin(), text.end());
        return *this;
    }
    ByteWriter& put(const std::vector<u8>& bytes) {
        bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
        return *this;
    }
    ByteWriter& pad_to(u64 alignment) {
        while (bytes_.size() % alignment != 0) bytes_.push_back(0);
        return *this;
    }
    u64 size() const { return bytes_.size(); }
    const std::vector<u8>& bytes() const { return bytes_; }

  private:
    std::vector<u8> bytes_;
};

}  // namespace tessera::test
