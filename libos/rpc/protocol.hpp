// Remote procedure call over protected control transfer: what both sides agree on. The typed part is generated from an
// interface file (docs/how-to-call-another-libos.md); everything that is checked is checked in this folder.
//
//   request   word 0: interface number 63..32, version 31..16, procedure 15..0; then one word an argument
//   answer    word 0: Error, or kTurnedAway; then one word a result
//   bytes     their word is the length; they lie in the window, memory that client and server share:
//             arguments of the procedure from 0 on, results from request_size on
#pragma once

#include <algorithm>
#include <concepts>
#include <cstring>
#include <span>

#include "exokernel/abi/result.hpp"
#include "exokernel/abi/types.hpp"

namespace tessera::libos {

struct Interface {
    u32 number;        ///< CRC-32 of its name.
    u16 version;
    u64 request_size;  ///< Bytes of the window for arguments,
    u64 answer_size;   ///< and behind them for results.

    constexpr u64 window_pages() const { return (request_size + answer_size + kPageSize - 1) / kPageSize; }
    constexpr u64 header(u64 procedure) const { return u64{number} << 32 | u64{version} << 16 | procedure; }
    static constexpr u64 procedure_of(u64 header) { return header & 0xffff; }
};

/// Procedures that every interface has.
inline constexpr u64 kOpenProcedure = 0xffff;   ///< Word 1: is there a window on the board for you?
inline constexpr u64 kCloseProcedure = 0xfffe;
/// Answered instead of an Error: somebody else has waited for longer. Nothing has happened; try again.
///
/// A server serves one call at a time, and its answer gives the CPU back to the caller, who may call again at once: others
/// would find it busy for ever. So who finds it busy says so by an event at the server, the bit of its place in the
/// environment table, and nobody has two turns in a row while somebody waits.
inline constexpr u64 kTurnedAway = kAny;
constexpr u64 waiting_event(EnvId env) { return u64{1} << env.index() % kMaxEnvironments; }

/// What a client posts its window as while it opens.
inline constexpr const char* kWindowPost = "window";

/// Up to `most` bytes, by value. Those behind length() are nobody's business and not even set.
template <u64 most>
class Bytes {
  public:
    static constexpr u64 kMost = most;

    Bytes() : length_(0) {}
    u64 length() const { return length_; }
    std::span<const u8> view() const { return {bytes_, length_}; }

    /// Become a copy of `from`. False: too many, and nothing is changed.
    bool assign(std::span<const u8> from) {
        if (from.size() > most) return false;
        std::memcpy(bytes_, from.data(), from.size());
        length_ = from.size();
        return true;
    }
    /// Become `length` bytes, at most `most`, which the caller sets, all of them.
    std::span<u8> become(u64 length) {
        length_ = std::min(length, most);
        return {bytes_, length_};
    }

  private:
    u64 length_;
    u8 bytes_[most];
};

/// A scalar on the way, and back: a word that the type could not have made is an error.
template <std::integral T>
constexpr u64 to_word(T value) {
    return static_cast<u64>(value);
}
template <std::integral T>
constexpr Result<T> from_word(u64 word) {
    const T value = static_cast<T>(word);
    return to_word(value) == word ? Result<T>(value) : Error::bad_argument;
}

/// Out of a window into `to`: the length comes from the other side, and so may anything that happens to the bytes.
/// Errors: out_of_range (longer than agreed).
template <u64 most>
Outcome copy_from_window(Bytes<most>& to, u64 length, const u8* window) {
    if (length > most) return Error::out_of_range;
    to.assign({window, length});
    return Done{};
}

}  // namespace tessera::libos
