// Memory that environments share by capability: one makes it and grants narrowed capabilities, the others attach.
//
// Who attaches does not own the frames. Their owner can give them back, or end, at any moment, and then the next touch
// faults and nothing can be bound there any more. That must not be the end of whoever touches: a page of one's own is put
// in place of each that is gone, and lost() says so from then on. Code that uses shared memory needs no check before
// a touch, only one behind it.
#pragma once

#include <string_view>

#include "exokernel/abi/span.hpp"
#include "libos/core/call.hpp"
#include "libos/core/upcalls.hpp"

namespace tessera::libos {

class SharedMemory {
  public:
    constexpr SharedMemory() = default;
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    /// Take `pages` frames of one's own, zero, and bind them.  Errors: frame_alloc's, bind's.
    Outcome create(u64 pages);

    /// A capability for these frames that only `to` may present, and only for `rights` (read, write).
    /// Errors: bad_argument (not one's own).  Cost: 2 MACs.
    Result<Capability> grant(EnvId to, Rights rights) const;

    /// The same, posted as `name` for `to` to accept.
    Outcome offer(std::string_view name, EnvId to, Rights rights) const;

    /// Bind `pages` frames that somebody granted, from the first on that is left of them. At pages of its own, or, when
    /// attached again after detach(), at the same ones.  Errors: bad_argument, capability's, bind's.
    Outcome attach(const Capability& granted, u64 pages, Rights rights);

    /// The same with what `environment` offers as `name`, waiting for that until `deadline` (TSC; 0: for ever).
    Outcome accept(std::string_view environment, std::string_view name, u64 pages, Rights rights, u64 deadline = 0);

    /// Unbind; frames of one's own are given back. Needed before the object goes: it has no destructor, as most are
    /// static, and there is nobody to call one at the end.
    void detach();

    /// Some of it was taken away by its owner: what was read there since is worth nothing.
    bool lost() const { return lost_; }

    u64 size() const { return pages_ * kPageSize; }
    u8* bytes() const { return reinterpret_cast<u8*>(address_of(page_).value); }
    /// `T` at `offset`, which the caller knows to lie within.
    template <class T>
    T& at(u64 offset) const {
        return *reinterpret_cast<T*>(bytes() + offset);
    }

    /// Bind what a fault in somebody's shared memory needs. False: the address is in none, or the access is not allowed.
    static bool resolve(VirtAddr address, u64 access);

  private:
    Outcome bind(u64 pages, Rights rights);
    bool bind_again(PageNumber page, u64 access);

    Capability capability_{};
    FrameNumber frame_;
    PageNumber page_;
    u64 pages_ = 0, reserved_ = 0;
    Rights rights_;
    bool owned_ = false;
    volatile bool lost_ = false;
    SharedMemory* next_ = nullptr;
};

/// Let shared memory have its page faults resolved, and `others` all other faults. Call it first of all; with an
/// AddressSpace, or another fault policy, which calls SharedMemory::resolve itself, it is not needed.
void use_shared_memory(FaultPolicy others = nullptr);

}  // namespace tessera::libos
