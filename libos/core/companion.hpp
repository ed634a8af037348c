// A second environment over the same memory: the same program on another CPU.
//
// It shares everything but what the kernel delivers to: it has a save area and an upcall stack of its own. Its page faults are
// resolved as the program's are, by the image and the fault policy, but nobody watches for pages that displace each other: give a
// program with companions an S-TLB with an entry for each page. Threads (libos/threads) are the program's alone.
#pragma once

#include "libos/core/call.hpp"

namespace tessera::libos {

class Companion {
  public:
    static constexpr u64 kStackPages = 8;      ///< Of the function's own stack.
    static constexpr u64 kOwnFrames = 16;      ///< Frames of quota that it takes along, beside what start() is asked for.

    constexpr Companion() = default;
    Companion(const Companion&) = delete;
    Companion& operator=(const Companion&) = delete;

    /// Make it, on CPU `cpu`, with `slots` slots there, to call `function(argument)` and end when that returns. It may own
    /// `frames` frames of the caller's quota. `name`: for the log.  Errors: of frame_alloc, bind, env_create, slot_take,
    /// env_place, slot_run; asleep: it did not come to itself within a second.
    Outcome start(const char* name, u64 cpu, u64 slots, u64 frames, void (*function)(void*), void* argument);
    /// Wait until it has ended.
    void join();
    bool is_running() const;
    EnvId id() const { return id_; }

  private:
    friend void companion_main(Companion& self);
    static constexpr u64 kMostSlots = 8;

    Outcome open_upcalls();

    // Read by companion.S.
    u64 stack_top_ = 0;

    void (*function_)(void*) = nullptr;
    void* argument_ = nullptr;
    u64 ready_ = 0;          // it has upcalls, or never will
    PageNumber upcall_pages_{};
    EnvId id_{};
    Capability frames_, environment_, stack_, upcall_frames_;
    Capability slots_[kMostSlots];
    u64 slot_count_ = 0;
};

}  // namespace tessera::libos
