// What a lock is here, and the guard that holds one.
//
// Queue locks need a node for each who waits, the others do not. The node is a type of the lock's, empty where
// none is needed, and a guard has one on its stack: code that takes a lock does not tell which kind it is.
//
//     Guard guard{lock};      // until the end of the block
#pragma once

#include <concepts>

#include "exokernel/locks/relax.hpp"

namespace tessera::locks {

/// The node of a lock that needs none: such a lock's operations can be called without.
struct NoNode {};

/// acquire() waits, try_acquire() answers at once whether it got the lock, release() is for who has it, with the
/// node that it was acquired with. A node belongs to one acquisition from acquire() to release(), and stays where
/// it is.
template <class T>
concept Lock = requires(T& lock, typename T::Node& node) {
    lock.acquire(node);
    { lock.try_acquire(node) } -> std::same_as<bool>;
    lock.release(node);
};

/// Has a lock for as long as it lives.
template <Lock L>
class [[nodiscard]] Guard {
  public:
    explicit Guard(L& lock) : lock_(lock) { lock_.acquire(node_); }
    ~Guard() { lock_.release(node_); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

  private:
    L& lock_;
    [[no_unique_address]] typename L::Node node_;
};

}  // namespace tessera::locks
