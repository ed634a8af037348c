// A monitor of paravirtual guests: `kernel=NAME cmdline=WORDS`, and with `peer=1` a second guest on the same wire, which
// answers. Each has a disk in memory. The exit code is good if all guests say that they are.
#include <algorithm>

#include "libos/core/libos.hpp"
#include "libos/vmm/monitor/files.hpp"
#include "libos/vmm/monitor/monitor.hpp"
#include "libos/vmm/monitor/paravirt_guest.hpp"
#include "libos/vmm/monitor/pc_board.hpp"

using namespace tessera;
using namespace tessera::libos;
using namespace tessera::vmm;

namespace {

constinit FrameSupply supply;
BootFileWindow kernel;

class MemoryDisk final : public Disk {
  public:
    Outcome open(u64 pages) { return memory_.take(pages); }
    Outcome close() { return memory_.close(); }
    u64 sectors() const override { return memory_.count() * (kPageSize / kSectorSize); }
    bool writable() const override { return true; }
    bool read(u64 sector, std::span<std::byte> to) override {
        std::copy_n(memory_.memory() + sector * kSectorSize, to.size(), to.data());
        return true;
    }
    bool write(u64 sector, std::span<const std::byte> from) override {
        std::ranges::copy(from, memory_.memory() + sector * kSectorSize);
        return true;
    }
    bool flush() override { return true; }

  private:
    RunWindow memory_;
};

/// One end of a cable.
class Cable final : public NetPort {
  public:
    void lead_to(ParavirtGuest& guest) { there_ = &guest; }
    void send(std::span<const std::byte> frame) override {
        if (there_ != nullptr) static_cast<void>(there_->receive(frame));
    }

  private:
    ParavirtGuest* there_ = nullptr;
};

MemoryDisk disks[2];
Cable cables[2];
LineSink sinks[2]{LineSink("one"), LineSink("two")};

std::string_view command_line() {
    constexpr std::string_view kOption = "cmdline=";
    const auto found = std::ranges::search(arguments(), kOption);
    return found.empty() ? std::string_view{} : std::string_view(found.end(), arguments().end());
}

bool start(ParavirtGuest& guest, std::string_view words) {
    const auto opened = guest.open();
    if (!opened.ok()) return print(guest.name(), ": ", name_of(opened.error()), "\n"), false;
    const char* problem = guest.boot(kernel.bytes(), words);
    if (problem != nullptr) print(guest.name(), ": ", problem, "\n");
    return problem == nullptr;
}

void tell(const ParavirtGuest& guest) {
    Json json;
    json.field("what", guest.name());
    guest.exits().for_each([&](GuestExit exit, u64 count) { json.field(name_of(exit), count); });
    json.field("exits", guest.exits().total());
    json.field("fills", guest.shadows().fills());
    json.field("evictions", guest.shadows().evictions());
    json.field("guest_ticks", guest.exits().guest_ticks());
    json.field("monitor_ticks", guest.exits().monitor_ticks());
    static_cast<void>(json.send());
}

}  // namespace

int libos_main() {
    if (!kernel.open(argument("kernel"))) return print("no kernel\n"), 2;
    const u64 count = argument("peer", 0) != 0 ? 2 : 1, frames = argument("memory", 32) << 20 >> kPageShift;
    for (u64 i = 0; i < count; ++i)
        if (!disks[i].open(256).ok()) return print("no disk\n"), 2;
    static ParavirtGuest one(supply, {.name = "one", .frames = frames, .console = sinks[0], .disk = &disks[0], .port = &cables[0], .address = {0x52, 0x54, 0, 0, 0, 1}});
    static ParavirtGuest two(supply, {.name = "two", .frames = count == 2 ? frames : 3, .console = sinks[1], .disk = &disks[1], .port = &cables[1], .address = {0x52, 0x54, 0, 0, 0, 2}});
    ParavirtGuest* const guests[] = {&one, &two};
    if (!start(one, command_line())) return 1;
    if (count == 2) {
        cables[0].lead_to(two);
        cables[1].lead_to(one);
        if (!start(two, "answer ip=10.0.2.2 count=5")) return 1;
    }
    static Monitor monitor;
    for (u64 i = 0; i < count; ++i) monitor.add(*guests[i]);
    monitor.run();
    bool good = true;
    for (u64 i = 0; i < count; ++i) {
        tell(*guests[i]);
        good = good && guests[i]->machine().end().kind == End::power_off;
        if (!guests[i]->close().ok() || !disks[i].close().ok()) return print("no clean end\n"), 1;
    }
    return good ? 0 : 1;
}
