// When a timer fires is computed when it is set; nothing counts.
#include "libos/vmm/devices/apic_timer.hpp"

#include <algorithm>

namespace tessera::vmm {

void ApicTimer::set_mode(Mode mode) {
    if ((mode == Mode::deadline) != (mode_ == Mode::deadline)) {
        fires_at_ = kNever;
        deadline_ = count_ = 0;
    }
    mode_ = mode;
}

/// Divide configuration (figure 10-10): bits 3, 1 and 0 of it are a power of two, from 2 on; all ones is 1.
u64 ApicTimer::tick() const {
    const u32 value = (divide_ & 3) | (divide_ & 8) >> 1;
    return u64{1} << (value + 1) % 8;
}

void ApicTimer::set_count(u32 count, u64 now) {
    if (mode_ == Mode::deadline) return;
    count_ = count;
    fires_at_ = count == 0 ? kNever : now + count * tick();
}

u32 ApicTimer::left(u64 now) const {
    if (mode_ == Mode::deadline || fires_at_ == kNever || fires_at_ <= now) return 0;
    return static_cast<u32>(std::min<u64>((fires_at_ - now) / tick(), count_));
}

void ApicTimer::set_deadline(u64 tsc, u64 now) {
    if (mode_ != Mode::deadline) return;
    deadline_ = tsc;
    fires_at_ = tsc == 0 ? kNever : std::max(now, time_of(tsc, tsc_hz_));
}

bool ApicTimer::advance(u64 now) {
    if (fires_at_ > now) return false;
    deadline_ = 0;  // It disarms itself.
    if (mode_ == Mode::periodic) {
        const u64 period = count_ * tick();
        fires_at_ += ((now - fires_at_) / period + 1) * period;
    } else {
        fires_at_ = kNever;
    }
    return true;
}

}  // namespace tessera::vmm
