// A guest made for a real machine, run in ring 3 without hardware's help: guests/trapped, or another kernel that lives in the
// lower half of the address space and starts by the 64-bit protocol.
//
//   kernel=NAME disk=NAME   files of the boot loader's; what is written to the disk is the guest's own
//   net=NAME                a card, with a port of the switch of that name
//   memory=MIB              32 if nothing is said
//   limit=MS                what is not over by then has failed
//   code=translate          its kernel runs from a translation cache; or `rewrite`: where it is, with bytes that trap
//   inline=N                translated instructions get their handlers inlined after so many traps; 0: at once; 16 if nothing is said
//   roots=N around=N        of the shadow: address spaces that are kept, pages that are bound together
//   cmdline=...             everything behind it, for the guest's kernel
#include <algorithm>
#include <bit>

#include "libos/core/libos.hpp"
#include "libos/heap/heap.hpp"
#include "libos/vmm/deprivileged/guest.hpp"
#include "libos/vmm/monitor/files.hpp"
#include "libos/vmm/monitor/monitor.hpp"
#include "libos/vmm/net/cable.hpp"

using namespace tessera;
using namespace tessera::libos;
using namespace tessera::vmm;

namespace {

constinit FrameSupply supply;
BootFileWindow kernel, disk_file;
RunWindow heap_memory, pool_memory;
Cable cable;

/// A guest that never ends by itself does.
class Limit final : public Chore {
  public:
    Limit(Machine& machine, u64 milliseconds)
        : machine_(machine), milliseconds_(milliseconds), end_(ticks() + information().tsc_hz / 1000 * milliseconds) {}
    u64 tend(u64 now) override {
        if (now < end_) return end_;
        machine_.stop({End::failed, "it was to be over by now, after milliseconds", milliseconds_});
        return kNever;
    }

  private:
    Machine& machine_;
    u64 milliseconds_, end_;
};

std::string_view command_line() {
    constexpr std::string_view kOption = "cmdline=";
    const std::string_view all = arguments();
    const auto found = std::ranges::search(all, kOption);
    return found.empty() ? std::string_view{} : std::string_view(found.end(), all.end());
}

int fail(const char* why) {
    print("no guest: ", why, "\n");
    return 2;
}

const char* add_disk(DeprivilegedGuest& guest) {
    if (argument("disk").empty()) return nullptr;
    if (!disk_file.open(argument("disk"))) return "there is no disk of that name";
    constexpr u64 kPool = 256;
    if (!pool_memory.take(kPool).ok()) return "there are no frames for what it writes";
    auto* const image = new FileImage(disk_file.bytes());
    auto* const pool = new BlockPool({pool_memory.memory(), kPool << kPageShift});
    auto* const places = new u32[image->blocks()];
    auto* const disk = new CowDisk(*image, *pool, {places, image->blocks()});
    return guest.platform().add_disk(*disk, "tessera") != nullptr ? nullptr : "there is no room for a disk";
}

const char* add_net(DeprivilegedGuest& guest) {
    if (argument("net").empty()) return nullptr;
    if (const auto opened = cable.open(argument("net")); !opened.ok()) return name_of(opened.error());
    VirtioNet* const card = guest.platform().add_net(cable, cable.address());
    if (card == nullptr) return "there is no room for a card";
    cable.lead_to(*new DeviceEnd(*card));
    return nullptr;
}

}  // namespace

int libos_main() {
    if (!kernel.open(argument("kernel"))) return fail("there is no kernel of that name");
    constexpr u64 kHeapPages = 256;
    if (!heap_memory.take(kHeapPages).ok() || !heap().open(heap_memory.memory(), kHeapPages << kPageShift)) return 2;
    const auto roots = static_cast<u32>(std::clamp<u64>(argument("roots", 8), 1, kMaxRoots / 2));
    const auto around = static_cast<u32>(std::bit_floor(std::clamp<u64>(argument("around", 16), 1, 512)));
    const std::string_view code = argument("code");
    if (!code.empty() && code != "translate" && code != "rewrite") return fail("code= is translate or rewrite");
    auto* const guest = new DeprivilegedGuest(supply, {.name = "trapped", .frames = argument("memory", 32) << 20 >> kPageShift, .shadow = {roots, around},
                                                       .code = code == "rewrite" ? CodeChoice::rewrite : CodeChoice::translate,
                                                       .inline_after = static_cast<u32>(argument("inline", 16))});
    if (const auto opened = guest->open(); !opened.ok()) return fail(name_of(opened.error()));
    if (const char* problem = add_disk(*guest)) return fail(problem);
    if (const char* problem = add_net(*guest)) return fail(problem);
    if (const char* problem = guest->boot({kernel.bytes(), {}, command_line()})) return fail(problem);
    static Monitor monitor;
    monitor.add(guest->processor());
    if (!argument("net").empty()) monitor.add(cable);
    constexpr u64 kLongest = 1 << 30;
    if (const u64 limit = argument("limit", 0)) monitor.add(*new Limit(guest->machine(), std::min(limit, kLongest)));
    monitor.run();
    report_deprivileged(guest->processor(), "trapped");
    if (!argument("net").empty()) cable.report("trapped");
    const bool failed = guest->machine().end().kind == End::failed;
    if (!guest->close().ok()) return fail("the kernel has something against its end");
    return failed ? 1 : 0;
}
