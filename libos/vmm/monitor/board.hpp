// What stands around a guest's virtual CPUs: ports, model-specific registers, interrupts, time. A PC's devices
// (pc_board.hpp), or whatever a paravirtual monitor offers instead.
//
// Time is handed in, in nanoseconds since the machine was made; `cpu` is the virtual CPU that asks.
#pragma once

#include <optional>

#include "libos/vmm/instructions/machine.hpp"

namespace tessera::vmm {

class Processor;

/// What one virtual CPU can ask of another (Intel SDM vol. 3A, 8.4.1).
struct CpuSignal {
    enum Kind { none, init, startup } kind = none;  ///< Stop and wait; begin in real mode at page `page`.
    u8 page = 0;
};

class Board {
  public:
    static constexpr u64 kNoEvent = ~u64{0};

    /// Does what this port answers, or what a write to it starts, depend on what time it is? It is advanced before, then.
    bool is_timed(u16 port) const { return port < kTimedPorts && (timed_[port / 64] >> port % 64 & 1) != 0; }
    virtual u32 read_port(u16 port, u32 size) = 0;
    virtual void write_port(u16 port, u32 size, u32 value) = 0;
    virtual CpuidAnswer cpuid(u64 cpu, u32 leaf, u32 subleaf) = 0;
    /// Nothing, or false: the guest gets #GP.
    virtual std::optional<u64> read_msr(u64 cpu, u32 index) = 0;
    virtual bool write_msr(u64 cpu, u32 index, u64 value) = 0;

    /// It is `now`. Everything that was due has happened behind it, and what was put off goes on.
    virtual void advance(u64 now) = 0;
    /// When the next thing is due, unless something happens before; kNoEvent.
    virtual u64 next_event() const = 0;

    virtual bool interrupt_pending(u64 cpu) const = 0;
    /// The CPU takes it: which vector?
    virtual u8 acknowledge(u64 cpu) = 0;

    /// What another virtual CPU asked of this one; asking takes it. Only in machines with several.
    virtual CpuSignal take_signal(u64) { return {}; }
    /// CPUs for which something waits, an interrupt or a signal: one bit each.
    virtual u64 attention() const { return 0; }
    /// Of those, who has been started and has not taken that yet.
    virtual u64 starting() const { return 0; }

    /// VMMCALL. False: there are no such calls, and the guest gets #UD.
    virtual bool hypercall(Processor&) { return false; }

  protected:
    ~Board() = default;
    /// `count` ports from `first` on, all below kTimedPorts.
    void set_timed(u16 first, u16 count) {
        for (u16 port = first; port < first + count; ++port) timed_[port / 64] |= u64{1} << port % 64;
    }

  private:
    static constexpr u16 kTimedPorts = 256;
    u64 timed_[kTimedPorts / 64]{};
};

}  // namespace tessera::vmm
