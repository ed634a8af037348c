// The 8254 timer: channel 0, which is interrupt line 0, and channel 2 behind port 61, the speaker's. (Intel 8254, order
// no. 231164-005.) Channel 1 refreshed memory once; it counts, and drives nothing.
//
// No clock ticks here. A channel knows when its count began, and everything else (what it reads, OUT, when the next
// edge comes) is computed from how long ago that is.
#pragma once

#include "libos/vmm/devices/pic.hpp"
#include "libos/vmm/devices/time.hpp"

namespace tessera::vmm {

inline constexpr u64 kPitFrequency = 1'193'182;

/// One counter. Time is in ticks of the 8254.
class PitChannel {
  public:
    void set_mode(u8 control, u64 now);
    void latch(bool count, bool status, u64 now);
    u8 read(u64 now);
    void write(u8 value, u64 now);
    /// GATE, which channel 2 has on port 61: low halts modes 0, 2, 3 and 4; a rise starts modes 1, 2, 3 and 5 anew.
    void set_gate(bool level, u64 now);
    bool gate() const { return gate_; }

    bool out(u64 now) const;
    /// The first tick after `now` at which OUT rises; kNever: not without being written to.
    u64 next_rise(u64 now) const;

  private:
    /// What the datasheet calls modes 0 to 5.
    enum Mode : u8 { terminal_count, one_shot, rate, square, software_strobe, hardware_strobe };

    bool repeats() const { return mode_ == rate || mode_ == square; }
    bool triggered() const { return mode_ == one_shot || mode_ == hardware_strobe; }
    u64 range() const { return bcd_ ? 10'000 : 0x1'0000; }
    bool halted() const { return !gate_ && !triggered(); }
    u64 elapsed(u64 now) const { return halted() ? halted_after_ : now - began_; }
    u16 count(u64 now) const;
    u8 status(u64 now) const;
    void begin(u64 now);
    void load(u32 count, u64 now);

    Mode mode_ = terminal_count;
    bool bcd_ = false;
    u8 access_ = 3;  ///< 1: the low byte, 2: the high one, 3: low, then high.
    bool high_next_read_ = false, high_next_write_ = false;
    u8 low_written_ = 0;
    u32 reload_ = 0x1'0000;  ///< What was written; 0 stands for 65536, or 10000.
    u32 length_ = 0x1'0000;  ///< What the running count began with.
    bool loaded_ = false;    ///< Has had a count since its mode was set,
    bool counting_ = false;  ///< and a trigger where it wants one.
    bool gate_ = true;
    u64 began_ = 0;         ///< When the count did.
    u64 halted_after_ = 0;  ///< How long it had counted when GATE fell.
    bool count_latched_ = false, status_latched_ = false;
    u16 latched_count_ = 0;
    u8 latched_status_ = 0;
};

class Pit : public PortDevice {
  public:
    explicit Pit(Pic& pic);

    /// It is `now`: raise line 0 if OUT of channel 0 has risen since the last time, once however often it has.
    void advance(u64 now);
    /// When line 0 rises next; kNever if it does not.
    u64 next_event() const;

    static constexpr u16 kPorts = 0x40;          ///< Four: a counter each, and the control word.
    static constexpr u16 kSystemControl = 0x61;  ///< Port B of the PC: GATE 2, speaker, OUT 2.
    u32 read(u16 port, u32 size) override;
    void write(u16 port, u32 size, u32 value) override;

  private:
    void control(u8 word);
    void drive();

    Pic& pic_;
    u64 now_ = 0;    ///< In nanoseconds,
    u64 ticks_ = 0;  ///< and in ticks.
    PitChannel channels_[3];
    bool speaker_ = false;
};

}  // namespace tessera::vmm
