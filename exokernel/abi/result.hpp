// Result<T>: a value or an Error (with the one word that some errors carry), and TRY to pass errors on.
#pragma once

#include <utility>

#include "exokernel/abi/errors.hpp"

namespace tessera {

/// An error on its way to the caller. `detail` is the address with Error::not_mapped, otherwise 0.
struct Failure {
    Error error;
    u64 detail = 0;
};

template <class T>
class [[nodiscard]] Result {
  public:
    constexpr Result(T value) : value_(std::move(value)), failure_{Error::ok, 0} {}
    constexpr Result(Failure failure) : value_{}, failure_(failure) {}
    constexpr Result(Error error) : value_{}, failure_{error, 0} {}

    constexpr bool ok() const { return failure_.error == Error::ok; }
    constexpr explicit operator bool() const { return ok(); }
    constexpr Error error() const { return failure_.error; }
    constexpr Failure failure() const { return failure_; }
    constexpr T& value() { return value_; }  ///< Only when ok().
    constexpr const T& value() const { return value_; }

  private:
    T value_;
    Failure failure_;
};

struct Done {};
using Outcome = Result<Done>;  ///< Nothing to return but how it went.

/// The value of a Result, or return its failure from this function. (A statement expression: g++ and clang.)
#define TRY(expression)                                  \
    ({                                                   \
        auto try_result_ = (expression);                 \
        if (!try_result_.ok()) [[unlikely]]              \
            return try_result_.failure();                \
        std::move(try_result_.value());                  \
    })

}  // namespace tessera
