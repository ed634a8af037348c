// A local APIC's timer: once, again and again, or at a value of the TSC. (Intel SDM vol. 3A, 10.5.4.)
#pragma once

#include "libos/vmm/devices/time.hpp"

namespace tessera::vmm {

class ApicTimer {
  public:
    enum class Mode : u32 { once = 0, periodic = 1, deadline = 2 };

    /// tsc_hz: at most 8 GHz.
    constexpr explicit ApicTimer(u64 tsc_hz = 1) : tsc_hz_(tsc_hz) {}

    /// As after power-up.
    void reset() { *this = ApicTimer(tsc_hz_); }
    /// To or from the deadline: whatever was armed is not (10.5.4.1).
    void set_mode(Mode mode);
    u32 divide() const { return divide_; }
    void set_divide(u32 value) { divide_ = value; }
    u32 count() const { return count_; }
    /// Count down from there; 0 stops it. Not looked at with a deadline.
    void set_count(u32 count, u64 now);
    u32 left(u64 now) const;
    u64 deadline() const { return deadline_; }
    /// Fire at this value of the guest's TSC; 0: not at all. Not looked at without a deadline.
    void set_deadline(u64 tsc, u64 now);

    /// Has it fired since the last time? Once, however many periods have passed.
    bool advance(u64 now);
    u64 next_event() const { return fires_at_; }

  private:
    /// What it counts in, in nanoseconds: its clock has 1 GHz.
    u64 tick() const;

    u64 tsc_hz_;
    Mode mode_ = Mode::once;
    u32 divide_ = 0;
    u32 count_ = 0;
    u64 deadline_ = 0;
    u64 fires_at_ = kNever;
};

}  // namespace tessera::vmm
