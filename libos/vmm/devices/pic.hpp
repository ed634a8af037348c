// The two 8259A interrupt controllers of a PC, the second on line 2 of the first. (Intel 8259A, order no. 231468-003.)
//
//     line ---> request (IRR) ---> not masked (IMR)? ---> more urgent than what is in service (ISR)? ---> INT
//
// Edge-triggered lines are the rule, and what PCI devices share is level-triggered (ELCR, ports 4D0 and 4D1, as in
// Intel's PIIX). A line that drops before it is acknowledged takes its request along; who acknowledges then gets line
// 7's vector, with nothing in service: a spurious interrupt, as the datasheet has it ("default IR7").
#pragma once

#include "libos/vmm/devices/ports.hpp"

namespace tessera::vmm {

/// One 8259A.
class PicChip {
  public:
    constexpr explicit PicChip(bool master) : master_(master) {}

    void set_line(u32 line, bool level);
    void set_level_triggered(u8 lines);
    u8 level_triggered() const { return level_triggered_; }

    /// INT: is there a request more urgent than what is in service?
    bool pending() const { return (requests_ & ~mask_) != 0 && urgent() != kNone; }
    /// INTA: put the most urgent request in service, and say which line; 7 when there is none (any more).
    u32 acknowledge();
    u8 vector_of(u32 line) const { return static_cast<u8>(base_ | line); }

    /// `second`: A0, the odd port.
    u8 read(bool second);
    void write(bool second, u8 value);

  private:
    enum class Expects : u8 { nothing, icw2, icw3, icw4 };
    static constexpr u32 kNone = 8;

    u32 most_urgent(u8 lines) const;
    u32 urgent() const;
    void initialize(u8 icw1);
    void continue_initializing(u8 value);
    void command(u8 ocw2);
    void set_modes(u8 ocw3);
    void end(u32 line) { in_service_ &= static_cast<u8>(~(1u << line)); }

    bool master_;
    u8 lines_ = 0, requests_ = 0, in_service_ = 0, mask_ = 0xff;
    u8 level_triggered_ = 0;
    u8 base_ = 0;
    u8 least_urgent_ = 7;
    Expects expects_ = Expects::nothing;
    bool single_ = false, wants_icw4_ = false;
    bool auto_end_ = false, rotate_on_auto_end_ = false, special_mask_ = false, nests_fully_ = false;
    bool shows_service_ = false, polls_ = false;
};

class Pic : public PortDevice {
  public:
    /// `level_triggered`: one bit a line, as firmware leaves ELCR. The chips themselves want to be initialised.
    explicit Pic(u16 level_triggered);

    /// What a device drives: lines 0 to 15; line 2 is the second chip's.
    void set_line(u32 irq, bool level);
    /// Does the CPU see INTR?
    bool pending() const { return master_.pending(); }
    /// The vector that the CPU is given for it; call it when the guest takes the interrupt, not before.
    u8 acknowledge();

    static constexpr u16 kFirst = 0x20, kSecond = 0xa0, kEdgeLevel = 0x4d0;  ///< Two ports each.
    u32 read(u16 port, u32 size) override;
    void write(u16 port, u32 size, u32 value) override;

  private:
    static constexpr u32 kCascade = 2;
    /// The second chip's INT is the first one's line 2.
    void cascade() { master_.set_line(kCascade, slave_.pending()); }

    PicChip master_{true}, slave_{false};
};

}  // namespace tessera::vmm
