// Which device answers where, and who of them interrupts whom.
#include "libos/vmm/platform.hpp"

#include <algorithm>

#include "libos/vmm/devices/mp_table.hpp"

namespace tessera::vmm {
namespace {

constexpr u16 kSerialPorts = 0x3f8;
constexpr u32 kSerialIrq = 4;
constexpr u64 kMostHz = 8'000'000'000;

}  // namespace

Platform::Platform(GuestMemory& memory, GuestLog& log, ByteSink& serial, const PlatformOptions& options)
    : memory_(memory),
      log_(log),
      cpus_(std::clamp<u32>(options.cpus, 1, kMaxGuestCpus)),
      tsc_hz_(std::clamp<u64>(options.tsc_hz, 1, kMostHz)),
      ports_(log),
      serial_(InterruptLine(pic_, kSerialIrq), serial),
      clock_(options.wall_time),
      apics_(cpus_, tsc_hz_) {
    ports_.add(kSerialPorts, kSerialPorts + Uart::kPorts - 1, 1, serial_);
    ports_.add(PciBus::kWindow, 0xffff, 4, pci_);
    ports_.add(Pic::kFirst, Pic::kFirst + 1, 1, pic_);
    ports_.add(Pic::kSecond, Pic::kSecond + 1, 1, pic_);
    ports_.add(Pic::kEdgeLevel, Pic::kEdgeLevel + 1, 1, pic_);
    ports_.add(Pit::kPorts, Pit::kPorts + 3, 1, pit_);
    ports_.add(Pit::kSystemControl, Pit::kSystemControl, 1, pit_);
    ports_.add(Cmos::kPorts, Cmos::kPorts + 1, 1, clock_);
    ports_.add(PciBus::kConfig, PciBus::kConfig + 7, 4, pci_);
}

template <class Device, u64 kCount, class... Arguments>
Device* Platform::add(std::optional<Device> (&devices)[kCount], Arguments&... arguments) {
    for (auto& device : devices) {
        if (device) continue;
        device.emplace(memory_, log_, arguments...);
        return pci_.add(*device) ? &*device : nullptr;
    }
    return nullptr;
}

VirtioBlock* Platform::add_disk(Disk& disk, const char* serial_number) { return add(disks_, disk, serial_number); }
VirtioNet* Platform::add_net(NetPort& port, const MacAddress& mac) { return add(nets_, port, mac); }
VirtioConsole* Platform::add_console(ByteSink& sink) { return add(consoles_, sink); }
VirtioBalloon* Platform::add_balloon(BalloonOwner& owner) { return add(balloons_, owner); }

bool Platform::write_tables() { return cpus_ == 1 || write_mp_table(memory_, cpus_); }

/// `visit(device)` for each virtio device, of a Platform that may be const.
template <class Self, class Visit>
void Platform::each_virtio(Self& self, Visit visit) {
    const auto all = [&](auto& devices) {
        for (auto& device : devices)
            if (device) visit(*device);
    };
    all(self.disks_);
    all(self.nets_);
    all(self.consoles_);
    all(self.balloons_);
}

void Platform::advance(u64 now) {
    if (now < now_) return;
    now_ = now;
    pit_.advance(now);
    clock_.advance(now);
    if (cpus_ > 1) apics_.advance(now);
    each_virtio(*this, [](VirtioDevice& device) { device.go_on(); });
}

u64 Platform::next_event() const {
    bool has_more = false;
    each_virtio(*this, [&](const VirtioDevice& device) { has_more |= device.has_more(); });
    if (has_more) return now_;
    return std::min(pit_.next_event(), cpus_ > 1 ? apics_.next_event() : kNever);
}

std::optional<u64> Platform::msr_read(u32 number, u32 cpu) {
    const auto value = cpus_ > 1 && LocalApic::has(number) ? apics_.read(cpu, number, now_) : msrs_[cpu].read(number);
    if (!value && unknown_msrs_.first(number)) log_.note("msrs", "a read of one that is not there", number);
    return value;
}

bool Platform::msr_write(u32 number, u64 value, bool paging, u32 cpu) {
    const bool done = cpus_ > 1 && LocalApic::has(number) ? apics_.write(cpu, number, value, now_)
                                                          : msrs_[cpu].write(number, value, paging);
    if (!done && unknown_msrs_.first(number)) log_.note("msrs", "a write that it does not take", number);
    return done;
}

/// The local APIC's own are more urgent than what comes through it from the 8259s, or they would starve: who is served by
/// those may take as long as it likes.
bool Platform::apic_pending(u32 cpu) const {
    return apics_[cpu].pending() || (cpu == 0 && apics_[0].accepts_external() && pic_.pending());
}

u8 Platform::acknowledge(u32 cpu) {
    if (cpu != 0 || (cpus_ > 1 && apics_[cpu].pending())) return apics_[cpu].acknowledge();
    return pic_.acknowledge();
}

u32 Platform::attention() const {
    if (cpus_ == 1) return pic_.pending();
    u32 set = apics_.unanswered();
    for (u32 i = 0; i < cpus_; ++i) set |= u32{interrupt_pending(i)} << i;
    return set;
}

}  // namespace tessera::vmm
