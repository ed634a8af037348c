// The machine that a guest finds: the smallest PC on which an unmodified Linux boots to a shell.
//
//     CPU 0 <- 8259 pair <- 8254 (0), 16550 (4), PCI devices (10, 11, 5, 9)     no firmware, no ACPI,
//     CPU 1 <-+                                                                 nothing mapped in memory
//        ...  +- local APICs, by MSRs, when there are several CPUs
//
// Everything is I/O ports and MSRs. This is pure state: the monitor hands in what the guest does (a port, an MSR, CPUID)
// and what time it is, and asks whether an interrupt waits. Nothing here runs by itself, and nothing calls the kernel.
//
// All of it belongs to one guest and is for one CPU at a time: a monitor that runs several of a guest's CPUs at once
// takes a lock around each call.
#pragma once

#include <optional>
#include <string_view>

#include "libos/vmm/devices/apics.hpp"
#include "libos/vmm/devices/cmos.hpp"
#include "libos/vmm/devices/cpuid.hpp"
#include "libos/vmm/devices/msrs.hpp"
#include "libos/vmm/devices/pci.hpp"
#include "libos/vmm/devices/pic.hpp"
#include "libos/vmm/devices/pit.hpp"
#include "libos/vmm/devices/uart.hpp"
#include "libos/vmm/devices/virtio_balloon.hpp"
#include "libos/vmm/devices/virtio_block.hpp"
#include "libos/vmm/devices/virtio_console.hpp"
#include "libos/vmm/devices/virtio_net.hpp"

namespace tessera::vmm {

struct PlatformOptions {
    u32 cpus = 1;       ///< 1 to kMaxGuestCpus.
    u64 tsc_hz = 0;     ///< What the guest's TSC counts in a second: up to 8 GHz. For its deadline timer.
    u64 wall_time = 0;  ///< Seconds since 1970 when the guest's clock was 0.
};

class Platform {
  public:
    static constexpr u32 kDisks = 3, kNets = 2;

    /// `serial` gets what the guest writes to its first serial port.
    Platform(GuestMemory& memory, GuestLog& log, ByteSink& serial, const PlatformOptions& options);
    Platform(const Platform&) = delete;
    Platform& operator=(const Platform&) = delete;

    /// Before the guest runs: put another device into a slot. Null: there is no room for one more.
    VirtioBlock* add_disk(Disk& disk, const char* serial_number);
    VirtioNet* add_net(NetPort& port, const MacAddress& mac);
    VirtioConsole* add_console(ByteSink& sink);
    VirtioBalloon* add_balloon(BalloonOwner& owner);
    /// With several CPUs: write the table that tells the guest. False: the first megabyte is not there.
    bool write_tables();

    /// It is `now`, in ns of the guest's time. All else happens at the time of the last call: call it before the guest's
    /// accesses are handed in, or its timers stand still.
    void advance(u64 now);
    /// When something of its own accord will next happen: call advance() then. kNever: not unless the guest does something.
    u64 next_event() const;
    /// The guest's time at a value of its TSC.
    u64 time_at(u64 guest_tsc) const { return time_of(guest_tsc, tsc_hz_); }

    /// size: 1, 2 or 4. A read's answer is in the low `size` bytes.
    u32 port_read(u16 port, u32 size) { return ports_.read(port, size); }
    void port_write(u16 port, u32 size, u32 value) { ports_.write(port, size, value); }
    CpuidResult cpuid(u32 leaf, u32 subleaf, u32 cpu = 0) const { return vmm::cpuid(leaf, subleaf, cpu, cpus_); }
    /// Empty, or false: #GP. `paging`: the CPU's CR0.PG.
    std::optional<u64> msr_read(u32 number, u32 cpu = 0);
    bool msr_write(u32 number, u64 value, bool paging, u32 cpu = 0);

    /// Does an interrupt wait for this CPU? Whether it can be taken (IF, a shadow) is the monitor's to know.
    bool interrupt_pending(u32 cpu = 0) const { return cpus_ == 1 ? pic_.pending() : apic_pending(cpu); }
    /// The guest takes it now: its vector.
    u8 acknowledge(u32 cpu = 0);
    /// CPUs for which something waits: an interrupt, INIT, a start, NMI. One bit each; who sleeps, is to be woken.
    u32 attention() const;

    /// One CPU's registers that are MSRs, to be exchanged with what the hardware carries.
    Msrs& msrs(u32 cpu = 0) { return msrs_[cpu]; }
    Apics& apics() { return apics_; }
    Uart& serial() { return serial_; }
    const Pic& pic() const { return pic_; }
    u32 cpus() const { return cpus_; }

  private:
    bool apic_pending(u32 cpu) const;
    template <class Device, u64 kCount, class... Arguments>
    Device* add(std::optional<Device> (&devices)[kCount], Arguments&... arguments);
    template <class Self, class Visit>
    static void each_virtio(Self& self, Visit visit);

    GuestMemory& memory_;
    GuestLog& log_;
    u32 cpus_;
    u64 tsc_hz_;
    u64 now_ = 0;

    Ports ports_;
    Pic pic_{PciBus::kLevelTriggered};
    Pit pit_{pic_};
    Uart serial_;
    Cmos clock_;
    PciBus pci_{pic_};
    Apics apics_;
    Msrs msrs_[kMaxGuestCpus];
    OnceEach unknown_msrs_;
    std::optional<VirtioBlock> disks_[kDisks];
    std::optional<VirtioNet> nets_[kNets];
    std::optional<VirtioConsole> consoles_[1];
    std::optional<VirtioBalloon> balloons_[1];
};

}  // namespace tessera::vmm
