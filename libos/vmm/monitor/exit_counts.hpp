// What a virtual CPU's exits were: how many of each kind, how long guest and monitor took, and which were the last.
#pragma once

#include <array>

#include "exokernel/abi/guest.hpp"

namespace tessera::vmm {

/// One exit, for the report.
struct PastExit {
    u64 code, rip, info;
};

class ExitCounts {
  public:
    static constexpr u64 kPast = 8;

    /// Hot.
    void count(GuestExit exit, const GuestState& state) {
        ++kinds_[place_of(exit)];
        past_[total_++ % kPast] = {static_cast<u64>(exit), state.rip, state.info[0]};
    }
    void add_guest(u64 ticks) { guest_ += ticks; }
    void add_turn(u64 ticks) { turns_ += ticks; }

    u64 of(GuestExit exit) const { return kinds_[place_of(exit)]; }
    u64 total() const { return total_; }
    u64 guest_ticks() const { return guest_; }      ///< From guest_run's beginning to its end.
    u64 monitor_ticks() const { return turns_ - guest_; }  ///< Between two of them, within a turn.

    /// The `age`-th last one, 0 being the last; below kPast and total().
    const PastExit& past(u64 age) const { return past_[(total_ - 1 - age) % kPast]; }

    /// Call `each(exit, count)` for every kind that there was, by number.
    template <class Each>
    void for_each(Each&& each) const {
        for (u64 i = 0; i < kPlaces; ++i)
            if (kinds_[i] != 0) each(exit_at(i), kinds_[i]);
    }

  private:
    // Accesses to control and debug registers by their four kinds, then the manual's numbers, then what is far away.
    static constexpr u64 kRegisters = 4, kFirst = static_cast<u64>(GuestExit::exception), kEnd = 0x8e;
    static constexpr u64 kNested = kRegisters + kEnd - kFirst, kSyscall = kNested + 1, kOther = kNested + 2, kPlaces = kNested + 3;
    static constexpr u64 place_of(GuestExit exit) {
        const u64 code = static_cast<u64>(exit);
        if (code - kFirst < kEnd - kFirst) return kRegisters + code - kFirst;
        if (code < kFirst) return code / 16;
        return exit == GuestExit::nested_fault ? kNested : exit == GuestExit::syscall ? kSyscall : kOther;
    }
    static constexpr GuestExit exit_at(u64 place) {
        if (place < kRegisters) return static_cast<GuestExit>(place * 16);
        if (place < kNested) return static_cast<GuestExit>(place - kRegisters + kFirst);
        return place == kNested ? GuestExit::nested_fault : place == kSyscall ? GuestExit::syscall : GuestExit::invalid;
    }

    std::array<u64, kPlaces> kinds_{};
    std::array<PastExit, kPast> past_{};
    u64 total_ = 0, guest_ = 0, turns_ = 0;
};

/// What an exit is called in reports.
const char* name_of(GuestExit exit);

}  // namespace tessera::vmm
