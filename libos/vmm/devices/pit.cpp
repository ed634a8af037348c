// 8254: counts and outputs as functions of time. Modes are described in the datasheet's "Mode Definitions".
#include "libos/vmm/devices/pit.hpp"

#include "libos/vmm/devices/bcd.hpp"

namespace tessera::vmm {

void PitChannel::set_mode(u8 control, u64 now) {
    const u8 mode = control >> 1 & 7;
    mode_ = static_cast<Mode>(mode > 5 ? mode - 4 : mode);  // 6 and 7 are 2 and 3: that bit is not looked at.
    access_ = control >> 4 & 3;
    bcd_ = (control & 1) != 0;
    loaded_ = counting_ = high_next_read_ = high_next_write_ = count_latched_ = status_latched_ = false;
    began_ = now;
}

void PitChannel::begin(u64 now) {
    began_ = now;
    halted_after_ = 0;
    length_ = reload_;
    counting_ = true;
}

/// A new count in modes 2 and 3 should wait for the end of the running cycle. Here it begins at once: drivers set the
/// mode with every count, and then it does on the chip as well.
void PitChannel::load(u32 count, u64 now) {
    reload_ = bcd_ ? from_bcd(count) : count;
    if (reload_ == 0) reload_ = static_cast<u32>(range());
    loaded_ = true;
    if (!triggered()) begin(now);
}

void PitChannel::write(u8 value, u64 now) {
    if (access_ == 1) return load(value, now);
    if (access_ == 2) return load(u32{value} << 8, now);
    high_next_write_ = !high_next_write_;
    if (high_next_write_)
        low_written_ = value;
    else
        load(u32{value} << 8 | low_written_, now);
}

void PitChannel::set_gate(bool level, u64 now) {
    if (level == gate_) return;
    if (!level) {
        halted_after_ = elapsed(now);
        gate_ = false;
        return;
    }
    gate_ = true;
    if (!loaded_) return;
    if (repeats() || triggered())
        begin(now);
    else
        began_ = now - halted_after_;
}

bool PitChannel::out(u64 now) const {
    if (!counting_) return mode_ != terminal_count;
    const u64 done = elapsed(now);
    switch (mode_) {
        case terminal_count:
        case one_shot:
            return done >= length_;
        case rate:
            return !gate_ || done % length_ != length_ - 1;
        case square:
            return !gate_ || done % length_ < (length_ + 1) / 2;
        default:
            return done != length_;
    }
}

u64 PitChannel::next_rise(u64 now) const {
    if (!counting_ || halted()) return kNever;
    const u64 done = elapsed(now);
    if (repeats()) return length_ < 2 ? kNever : began_ + (done / length_ + 1) * length_;
    const u64 rises_after = mode_ == terminal_count || mode_ == one_shot ? length_ : length_ + 1;
    return done < rises_after ? began_ + rises_after : kNever;
}

/// What the counting element holds. A square wave counts down by two, twice a cycle.
u16 PitChannel::count(u64 now) const {
    const u64 done = counting_ ? elapsed(now) : 0;
    u64 left;
    if (mode_ == rate)
        left = length_ - done % length_;
    else if (mode_ == square)
        left = length_ - 2 * done % length_;
    else
        left = (length_ + range() - done % range()) % range();
    return static_cast<u16>(bcd_ ? to_bcd(static_cast<u32>(left % range())) : left);
}

/// "Read-Back Command": OUT, null count, and what the mode was set to.
u8 PitChannel::status(u64 now) const {
    return static_cast<u8>(out(now) << 7 | !loaded_ << 6 | access_ << 4 | mode_ << 1 | bcd_);
}

/// What is latched already stays until it has been read.
void PitChannel::latch(bool count, bool status, u64 now) {
    if (count && !count_latched_) {
        latched_count_ = this->count(now);
        count_latched_ = true;
    }
    if (status && !status_latched_) {
        latched_status_ = this->status(now);
        status_latched_ = true;
    }
}

u8 PitChannel::read(u64 now) {
    if (status_latched_) {
        status_latched_ = false;
        return latched_status_;
    }
    const u16 value = count_latched_ ? latched_count_ : count(now);
    const bool high = access_ == 2 || (access_ == 3 && high_next_read_);
    if (access_ == 3) high_next_read_ = !high_next_read_;
    if (access_ != 3 || high) count_latched_ = false;
    return static_cast<u8>(high ? value >> 8 : value);
}

Pit::Pit(Pic& pic) : pic_(pic) { channels_[2].set_gate(false, 0); }

void Pit::drive() { pic_.set_line(0, channels_[0].out(ticks_)); }

void Pit::advance(u64 now) {
    if (now <= now_) return;
    const u64 rise = channels_[0].next_rise(ticks_);
    now_ = now;
    ticks_ = ticks_at(now, kPitFrequency);
    if (rise > ticks_) return;
    // OUT may have fallen again since. That would take the request along, and a guest that is told late would lose
    // ticks which it did not miss: so the line stays up until the next rise.
    pic_.set_line(0, false);
    pic_.set_line(0, true);
}

u64 Pit::next_event() const {
    const u64 rise = channels_[0].next_rise(ticks_);
    return rise == kNever ? kNever : time_of(rise, kPitFrequency);
}

/// Bits 7 and 6: which channel, or 3: the read-back command, whose bits 5 and 4 are active low.
void Pit::control(u8 word) {
    const u32 which = word >> 6;
    if (which == 3) {
        for (u32 i = 0; i < 3; ++i)
            if (word >> (i + 1) & 1) channels_[i].latch((word & 0x20) == 0, (word & 0x10) == 0, ticks_);
    } else if ((word & 0x30) == 0) {
        channels_[which].latch(true, false, ticks_);
    } else {
        channels_[which].set_mode(word, ticks_);
    }
}

u32 Pit::read(u16 port, u32) {
    if (port == kSystemControl) {
        const PitChannel& speaker = channels_[2];
        const u32 refresh = ticks_ / 18 & 1;  // Every 15 microseconds.
        return speaker.gate() | speaker_ << 1 | refresh << 4 | speaker.out(ticks_) << 5;
    }
    const u32 which = port - kPorts;
    return which < 3 ? channels_[which].read(ticks_) : 0xff;
}

void Pit::write(u16 port, u32, u32 value) {
    const u8 byte = static_cast<u8>(value);
    if (port == kSystemControl) {
        channels_[2].set_gate(byte & 1, ticks_);
        speaker_ = (byte & 2) != 0;
        return;
    }
    const u32 which = port - kPorts;
    if (which < 3)
        channels_[which].write(byte, ticks_);
    else
        control(byte);
    drive();
}

}  // namespace tessera::vmm
