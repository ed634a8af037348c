// A monitor of the small guest in its bare-metal form, with SVM: `kernel=NAME paging=nested|shadow cmdline=WORDS`. It
// has a disk, and a second guest on the same wire, booted by the other protocol, answers its packets. What it prints judges it.
#include "libos/heap/heap.hpp"
#include "libos/vmm/monitor/files.hpp"
#include "libos/vmm/monitor/monitor.hpp"
#include "libos/vmm/monitor/pc_guest.hpp"
#include "libos/vmm/monitor/report.hpp"
#include "tests/system/guest_things.hpp"

using namespace tessera;
using namespace tessera::guest_things;

namespace {

constinit FrameSupply supply;
BootFileWindow kernel;
RunWindow heap_memory;

/// One end of a cable.
class Cable final : public NetPort {
  public:
    void lead_to(VirtioNet* card) { there_ = card; }
    void send(std::span<const std::byte> frame) override {
        if (there_ != nullptr) there_->receive(frame);
    }

  private:
    VirtioNet* there_ = nullptr;
};

MemoryDisk disk;
Cable cables[2];

int fail(std::string_view what, const char* why) {
    print("no ", what, ": ", why, "\n");
    return 2;
}

}  // namespace

int libos_main() {
    if (!kernel.open(argument("kernel"))) return fail("kernel", "there is no file of that name");
    constexpr u64 kHeapPages = 256, kDiskPages = 256;
    if (!heap_memory.take(kHeapPages).ok() || !heap().open(heap_memory.memory(), kHeapPages << kPageShift)) return fail("heap", "no frames");
    if (!disk.open(kDiskPages).ok()) return fail("disk", "no frames");
    const PagingChoice paging = argument("paging") == "shadow" ? PagingChoice::shadow : PagingChoice::nested;
    const u64 frames = argument("memory", 32) << 20 >> kPageShift;
    auto* const one = new PcGuest(supply, {.name = "one", .frames = frames, .paging = paging});
    auto* const two = new PcGuest(supply, {.name = "two", .frames = frames, .paging = paging});
    PcGuest* const guests[] = {one, two};
    VirtioNet* cards[2];
    for (u64 i = 0; i < 2; ++i) {
        if (const auto opened = guests[i]->open(); !opened.ok()) return fail(guests[i]->name(), name_of(opened.error()));
        cards[i] = guests[i]->platform().add_net(cables[i], {0x52, 0x54, 0, 0, 0, static_cast<u8>(i)});
    }
    cables[0].lead_to(cards[1]);
    cables[1].lead_to(cards[0]);
    if (cards[0] == nullptr || cards[1] == nullptr || one->platform().add_disk(disk, "small") == nullptr) return fail("device", "no room");
    if (const char* problem = one->boot_linux({kernel.bytes(), {}, command_line()})) return fail("start of one", problem);
    if (const char* problem = two->boot_multiboot({kernel.bytes(), "answer ip=10.0.2.2 count=5", {}})) return fail("start of two", problem);
    static Monitor monitor;
    for (PcGuest* guest : guests) monitor.add(guest->processor());
    monitor.run();
    bool good = true;
    for (PcGuest* guest : guests) {
        report_exits(guest->processor(), guest->name().data());
        good = good && guest->machine().end().kind == End::power_off;
        if (!guest->close().ok()) return fail("clean end", "the kernel has something against it");
    }
    return good && disk.close().ok() && heap_memory.close().ok() ? 0 : 1;
}
