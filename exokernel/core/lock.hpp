// The kernel's leaf locks: which of exokernel/locks/ they are, and how a guard looks.
#pragma once

#include "exokernel/abi/types.hpp"

namespace tessera::kernel {

inline void relax() { asm volatile("pause" ::: "memory"); }

class LeafLock {
  public:
    void acquire() {
        while (__atomic_exchange_n(&held_, true, __ATOMIC_ACQUIRE))
            while (__atomic_load_n(&held_, __ATOMIC_RELAXED)) relax();
    }
    void release() { __atomic_store_n(&held_, false, __ATOMIC_RELEASE); }

  private:
    bool held_ = false;
};

class Guard {
  public:
    explicit Guard(LeafLock& lock, bool needed = true) : lock_(lock), needed_(needed) {
        if (needed) lock_.acquire();
    }
    ~Guard() {
        if (needed_) lock_.release();
    }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

  private:
    LeafLock& lock_;
    bool needed_;
};

}  // namespace tessera::kernel
