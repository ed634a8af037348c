// Result<T>: a value or an Error (with the one word that some errors carry), and TRY to pass errors on.
#pragma once

#include <type_traits>

#include "exokernel/abi/errors.hpp"

namespace tessera {

/// An error on its way to the caller. `detail` is the address with Error::not_mapped, otherwise 0.
struct Failure {
    Error error;
    u64 detail = 0;
};

/// Two words when T is one: it comes back in registers, in the order in which a system call answers.
template <class T>
class [[nodiscard]] Result {
    static_assert(std::is_trivially_copyable_v<T>);

  public:
    constexpr Result(T value) : error_(Error::ok), value_(value) {}
    constexpr Result(Failure failure) : error_(failure.error), detail_(failure.detail) {}
    constexpr Result(Error error) : error_(error), detail_(0) {}

    constexpr bool ok() const { return error_ == Error::ok; }
    constexpr explicit operator bool() const { return ok(); }
    constexpr Error error() const { return error_; }
    constexpr Failure failure() const { return ok() ? Failure{Error::ok} : Failure{error_, detail_}; }
    constexpr T& value() { return value_; }  ///< Only when ok().
    constexpr const T& value() const { return value_; }

  private:
    Error error_;
    union {
        T value_;
        u64 detail_;
    };
};

struct Done {};
using Outcome = Result<Done>;  ///< Nothing to return but how it went.

/// The value of a Result, or return its failure from this function. (A statement expression: g++ and clang.)
#define TRY(expression)                                  \
    ({                                                   \
        auto try_result_ = (expression);                 \
        if (!try_result_.ok()) [[unlikely]]              \
            return try_result_.failure();                \
        try_result_.value();                             \
    })

}  // namespace tessera
