// All local APICs of a guest, and what goes from one CPU to another: interrupts, INIT and start-up.
#pragma once

#include "libos/vmm/devices/x2apic.hpp"

namespace tessera::vmm {

class Apics {
  public:
    /// cpus: at most kMaxGuestCpus. CPU 0 runs; the others wait to be started.
    Apics(u32 cpus, u64 tsc_hz);

    std::optional<u64> read(u32 cpu, u32 msr, u64 now) const { return apics_[cpu].read(msr, now); }
    /// A command for other CPUs is carried out at once.
    bool write(u32 cpu, u32 msr, u64 value, u64 now);

    LocalApic& operator[](u32 cpu) { return apics_[cpu]; }
    const LocalApic& operator[](u32 cpu) const { return apics_[cpu]; }

    /// Somebody sent INIT: stop the CPU, forget its registers, and wait for its start. Asking clears it.
    bool take_init(u32 cpu) { return take(inits_, cpu); }
    /// Somebody started the CPU: it begins in real mode at page `vector` (boot/start.hpp). Asking clears it.
    std::optional<u8> take_startup(u32 cpu);
    bool take_nmi(u32 cpu) { return take(nmis_, cpu); }
    /// Is the CPU to run, or does it wait to be started?
    bool runs(u32 cpu) const { return (waiting_ >> cpu & 1) == 0; }
    /// INIT, start-up and NMI that nobody has taken yet: one bit a CPU.
    u32 unanswered() const { return inits_ | startups_ | nmis_; }
    u32 starting() const { return startups_; }

    void advance(u64 now);
    u64 next_event() const;

  private:
    static bool take(u32& set, u32 cpu) {
        const bool was_set = (set >> cpu & 1) != 0;
        set &= ~(1u << cpu);
        return was_set;
    }
    void carry_out(u32 from, u64 command);
    void deliver(u32 cpu, Delivery delivery, u8 vector);

    u32 cpus_;
    LocalApic apics_[kMaxGuestCpus];
    u32 waiting_;  ///< One bit a CPU, as the three below.
    u32 inits_ = 0, startups_ = 0, nmis_ = 0;
    u8 startup_vectors_[kMaxGuestCpus]{};
};

}  // namespace tessera::vmm
