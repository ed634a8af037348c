// An unmodified Linux in a guest: a monitor of its own, one virtual CPU, the small PC.
//
//   vmlinux=NAME initrd=NAME disk=NAME   files that the boot loader gave (scenario: [[data]])
//   memory=MIB                           of guest memory, 128 if nothing is said
//   cmdline=...                          everything behind it, for the guest's kernel
#include <algorithm>

#include "libos/core/libos.hpp"
#include "libos/vmm/boot/linux.hpp"
#include "libos/vmm/monitor/monitor.hpp"
#include "libos/vmm/monitor/pc_board.hpp"
#include "libos/vmm/monitor/report.hpp"

using namespace tessera;
using namespace tessera::libos;
using namespace tessera::vmm;

namespace {

constinit FrameSupply supply;

/// A file of the boot loader's, as bytes. Its window must stay.
std::span<const std::byte> open_file(RunWindow& window, std::string_view name) {
    for (const BootFile& each : boot().files) {
        if (name.empty() || std::string_view(each.name) != name) continue;
        window.open_run(each.frames, Right::read);
        return {window.memory(), each.bytes};
    }
    return {};
}

/// What every guest on this PC has to be told, and what this one is told besides.
std::string_view command_line() {
    static char text[2048];
    Writer writer(text, sizeof text);
    writer.add("console=ttyS0 acpi=off nolapic tsc=reliable reboot=t nopti panic=-1 tsc_early_khz=");
    writer.add(information().tsc_hz / 1000);
    const std::string_view all = arguments();
    constexpr std::string_view kOption = "cmdline=";
    if (const auto found = std::ranges::search(all, kOption); !found.empty()) {
        writer.add(' ');
        writer.add(std::string_view(found.end(), all.end()));
    }
    return writer.view();
}

}  // namespace

int libos_main() {
    RunWindow kernel_window, initrd_window, map_window;
    const auto kernel = open_file(kernel_window, argument("vmlinux"));
    const auto initrd = open_file(initrd_window, argument("initrd"));
    const u64 frames = argument("memory", 128) << 20 >> kPageShift;
    if (kernel.empty() || !map_window.take(Memory::map_pages(frames)).ok()) {
        print("no kernel, or no memory for a guest of that size\n");
        return 2;
    }
    Memory memory(supply, {reinterpret_cast<GuestFrame*>(map_window.memory()), frames});
    NoteLog log(boot().name);
    LineSink serial("linux");
    Platform platform(memory, log, serial, {.cpus = 1, .tsc_khz = information().tsc_hz / 1000, .wall_time = 0});
    PcBoard board(platform);
    NestedPaging paging(memory);
    Machine machine("linux", memory, board, paging);
    Processor processor(machine, 0);
    if (const auto opened = paging.open(); !opened.ok()) {
        print("no nested context: ", name_of(opened.error()), "\n");
        return 1;
    }
    if (const auto opened = processor.open(); !opened.ok()) {
        print("no virtual CPU: ", name_of(opened.error()), "\n");
        return 1;
    }
    CopyPlacer placer(memory);
    const u64 begin = ticks();
    const BootResult loaded = load_linux(memory, placer, {kernel, initrd, command_line()});
    if (loaded.problem != nullptr) {
        print("the kernel cannot be started: ", loaded.problem, "\n");
        return 1;
    }
    print("loaded in ", (ticks() - begin) / (information().tsc_hz / 1000), " ms\n");
    start(processor.cpu().state(), loaded.state);
    Monitor monitor;
    monitor.add(processor);
    monitor.run();
    report_exits(processor, "linux");
    return machine.end().kind == End::failed ? 1 : 0;
}
