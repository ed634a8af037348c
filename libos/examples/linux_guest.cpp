// Unmodified Linux in guests: a monitor of its own, each guest with the small PC and one virtual CPU.
//
//   vmlinux=NAME initrd=NAME disk=NAME   files of the boot loader's (in a scenario: [[data]]); without a disk there is none
//   memory=MIB                           of each guest, 128 if nothing is said
//   guests=N                             how many, 1 if nothing is said; the disk is one image with private writes
//   paging=nested or shadow              what translates their addresses; nested where the CPU has it if nothing is said
//   roots=N around=N                     of a shadow: address spaces that are kept, pages that are bound together
//   cpus=N                               virtual CPUs, of one guest then; each has an environment, on CPUs one behind the other
//   net=NAME                             a network card for each of the first two, with a port of the switch of that name;
//                                        not with several virtual CPUs, as the port belongs to this environment
//   console=1                            the first one's serial port is the machine's console; else what they print is logged
//   cmdline=...                          everything behind it, for the guests' kernels
#include <algorithm>
#include <bit>

#include "libos/core/libos.hpp"
#include "libos/heap/heap.hpp"
#include "libos/vmm/monitor/console.hpp"
#include "libos/vmm/monitor/files.hpp"
#include "libos/vmm/monitor/pc_guest.hpp"
#include "libos/vmm/monitor/report.hpp"
#include "libos/vmm/monitor/team.hpp"
#include "libos/vmm/net/cable.hpp"

using namespace tessera;
using namespace tessera::libos;
using namespace tessera::vmm;

namespace {

constexpr u64 kMostGuests = Monitor::kMaxProcessors;
constexpr const char* kNames[kMostGuests] = {"linux", "linux-2", "linux-3", "linux-4", "linux-5", "linux-6", "linux-7", "linux-8"};

constinit FrameSupply supply;
BootFileWindow kernel, initrd, disk_file;
RunWindow heap_memory, pool_memory;
Console console;
Team team;

constexpr u64 kMostCables = 2;
Cable cables[kMostCables];

/// What is said behind `cmdline=`, to the end.
std::string_view command_line() {
    constexpr std::string_view kOption = "cmdline=";
    const std::string_view all = arguments();
    const auto found = std::ranges::search(all, kOption);
    return found.empty() ? std::string_view{} : std::string_view(found.end(), all.end());
}

bool fail(const char* what, const char* why) {
    print("no ", what, ": ", why, "\n");
    return false;
}

/// The disk: the file, and for each guest the blocks that it wrote.
class Disks {
  public:
    bool open() {
        if (argument("disk").empty()) return true;
        if (!disk_file.open(argument("disk"))) return fail("disk", "there is no file of that name");
        image_ = new FileImage(disk_file.bytes());
        if (!pool_memory.take(argument("pool", 2048)).ok()) return fail("disk", "there are no frames for what is written");
        pool_ = new BlockPool({pool_memory.memory(), pool_memory.count() << kPageShift});
        return true;
    }
    bool add(Platform& platform) {
        if (image_ == nullptr) return true;
        auto* const places = new u32[image_->blocks()];
        auto* const disk = new CowDisk(*image_, *pool_, {places, image_->blocks()});
        return platform.add_disk(*disk, "tessera") != nullptr || fail("disk", "there is no room for it in the guest");
    }

  private:
    FileImage* image_ = nullptr;
    BlockPool* pool_ = nullptr;
};

bool add_net(Platform& platform, u64 index) {
    if (argument("net").empty() || index >= kMostCables) return true;
    if (argument("cpus", 1) > 1) return fail("network", "a guest with several virtual CPUs cannot have a card");
    Cable& cable = cables[index];
    const auto opened = cable.open(argument("net"));
    if (!opened.ok()) return fail("network", name_of(opened.error()));
    VirtioNet* const card = platform.add_net(cable, cable.address());
    if (card == nullptr) return fail("network", "there is no room for a card in the guest");
    cable.lead_to(*new DeviceEnd(*card));
    return true;
}

PagingChoice paging() {
    const std::string_view word = argument("paging");
    return word == "shadow" ? PagingChoice::shadow : word == "nested" ? PagingChoice::nested : PagingChoice::best;
}

PcGuest* open_guest(u64 index, Disks& disks) {
    const bool at_console = index == 0 && argument("console", 0) != 0;
    auto* const guest = new PcGuest(supply, {.name = kNames[index],
                                             .frames = argument("memory", 128) << 20 >> kPageShift,
                                             .cpus = argument("cpus", 1),
                                             .serial = at_console ? &console : nullptr,
                                             .paging = paging(),
                                             .shadow = {static_cast<u32>(std::clamp<u64>(argument("roots", 8), 1, kMaxRoots)),
                                                        static_cast<u32>(std::bit_floor(std::clamp<u64>(argument("around", 16), 1, 512)))}});
    if (at_console) console.connect(guest->platform().serial());
    const auto opened = guest->open();
    if (!opened.ok() && !fail("guest", name_of(opened.error()))) return nullptr;
    if (!disks.add(guest->platform()) || !add_net(guest->platform(), index)) return nullptr;
    const char* const problem = guest->boot_linux({kernel.bytes(), initrd.bytes(), command_line()});
    if (problem != nullptr && !fail("Linux", problem)) return nullptr;
    return guest;
}

}  // namespace

int libos_main() {
    if (!kernel.open(argument("vmlinux"))) return fail("kernel", "there is no file of that name"), 2;
    if (!argument("initrd").empty() && !initrd.open(argument("initrd"))) return fail("initrd", "there is no file of that name"), 2;
    constexpr u64 kHeapPages = 256;
    if (!heap_memory.take(kHeapPages).ok() || !heap().open(heap_memory.memory(), kHeapPages << kPageShift)) return 2;

    static Disks disks;
    static Monitor monitor;
    if (!disks.open()) return 2;
    const u64 count = argument("cpus", 1) > 1 ? 1 : std::clamp<u64>(argument("guests", 1), 1, kMostGuests);
    PcGuest* guests[kMostGuests];
    for (u64 i = 0; i < count; ++i) {
        guests[i] = open_guest(i, disks);
        if (guests[i] == nullptr) return 1;
        monitor.add(guests[i]->processor());
        if (i < kMostCables && !argument("net").empty()) monitor.add(cables[i]);
    }
    if (argument("console", 0) != 0) monitor.add(console);
    if (guests[0]->cpus() > 1) {
        const auto opened = team.open(*guests[0], argument("slots", 4));
        if (!opened.ok()) return fail("other virtual CPUs", name_of(opened.error())), 1;
        monitor.set_events(Team::kNotified);
        team.begin();
    }
    monitor.run();
    if (guests[0]->cpus() > 1) team.join();
    console.tend(0);
    u64 failed = 0;
    for (PcGuest*& each : std::span(guests, count)) {
        report_exits(each->processor(), each->name().data());
        const u64 index = static_cast<u64>(&each - guests);
        if (index < kMostCables && !argument("net").empty()) cables[index].report(each->name());
        if (each->shadow() != nullptr) report_shadow(each->shadow()->counts(), each->name().data());
        failed += each->machine().end().kind == End::failed;
        if (!each->close().ok()) return fail("clean end", "the kernel has something against it"), 1;
    }
    return failed != 0 ? 1 : 0;
}
