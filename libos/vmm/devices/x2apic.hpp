// The local interrupt controllers of a guest with several CPUs, in x2APIC mode: registers are MSRs 802 to 83F, so no
// access to memory ever has to be taken apart. (Intel SDM vol. 3A, chapter 10; 10.12 for x2APIC.)
//
// Device interrupts come from the 8259 pair through LINT0 of CPU 0 ("ExtINT"); what the APICs are for is each CPU's
// timer, and interrupts from CPU to CPU. Until a guest has switched to x2APIC it may look at the ID and version
// registers at FEE00000: fill_apic_page() makes a page that holds these two, to be mapped read-only.
#pragma once

#include <optional>
#include <span>

#include "libos/vmm/devices/apic_timer.hpp"
#include "libos/vmm/guest_log.hpp"

namespace tessera::vmm {

inline constexpr u32 kMaxGuestCpus = 8;
inline constexpr u64 kApicPage = 0xfee0'0000;  ///< Guest-physical.

/// What an interrupt command asks of the CPUs that it names.
enum class Delivery : u8 { fixed = 0, lowest = 1, smi = 2, nmi = 4, init = 5, startup = 6, external = 7 };

/// One CPU's.
class LocalApic {
  public:
    /// CPU 0 starts as firmware leaves it (MP specification 1.4, 3.6.2.2 "virtual wire"): on, 8259s through LINT0.
    /// tsc_hz: at most 8 GHz.
    void power_up(u32 id, u64 tsc_hz);

    /// MSR 1B, 6E0 or 800 to 8FF. Empty, or false: #GP. An interrupt command is left for take_command().
    std::optional<u64> read(u32 msr, u64 now) const;
    bool write(u32 msr, u64 value, u64 now);
    static bool has(u32 msr);

    /// The command that the CPU has just given.
    std::optional<u64> take_command();
    /// Does a command with this destination (x2APIC form) and mode name this CPU?
    bool is_named(u32 destination, bool logical) const;
    /// An interrupt for this CPU: vector 16 to 255. A lower one is noted as an error (10.5.3).
    void request(u8 vector);

    /// Is there a vector more urgent than the task priority and what is in service?
    bool pending() const;
    /// Put it in service. When there is none (any more): the spurious vector, with nothing in service (10.9).
    u8 acknowledge();
    /// Does LINT0 let the 8259s' interrupts through to this CPU?
    bool accepts_external() const;

    void advance(u64 now);
    u64 next_event() const { return timer_.next_event(); }
    /// INIT: as after power-up, but for the ID and the mode (10.4.7.3).
    void reset();

    /// The task priority register's bits 7 to 4, which CR8 is as well.
    u64 cr8() const { return task_priority_ >> 4; }
    void set_cr8(u64 value) { task_priority_ = static_cast<u8>((value & 15) << 4); }

  private:
    enum Lvt : u32 { timer, thermal, performance, lint0, lint1, error };
    static constexpr u32 kLvts = 6;
    struct VectorSet {
        u32 words[8]{};
        void set(u8 vector) { words[vector / 32] |= 1u << vector % 32; }
        void clear(u8 vector) { words[vector / 32] &= ~(1u << vector % 32); }
        bool has(u8 vector) const { return words[vector / 32] >> vector % 32 & 1; }
        std::optional<u8> highest() const;
    };

    bool x2apic() const { return (base_ & 0xc00) == 0xc00; }
    bool enabled_by_software() const { return (base_ & 0x800) != 0 && (spurious_ & 0x100) != 0; }
    u32 logical_id() const { return (id_ >> 4) << 16 | 1u << (id_ & 15); }
    u8 processor_priority() const;
    bool write_base(u64 value);
    bool write_lvt(u32 which, u64 value);
    bool write_spurious(u64 value);
    bool write_command(u64 value);
    void end_of_interrupt();
    void note_error(u32 bit);

    u32 id_ = 0;
    u64 base_ = 0;
    u8 task_priority_ = 0;
    u32 spurious_ = 0xff;
    VectorSet in_service_, requested_;
    u32 errors_ = 0, shown_errors_ = 0;
    u64 last_command_ = 0;
    bool commanded_ = false;
    u32 lvt_[kLvts]{};
    ApicTimer timer_;
};

/// What a guest finds at kApicPage before it switches to x2APIC: ID 0 and the version. The rest is zero.
void fill_apic_page(std::span<std::byte, 4096> page);

}  // namespace tessera::vmm
