// The small guest's benchmarks in each form that a guest may have, one after the other, with the same disk and the same peer
// on the wire. What the guest measured is in its lines of the log, how many exits that took in
// records (guest_watch.hpp); bench/guests.py puts both together.
#include <algorithm>

#include "bench/system/guest_peer.hpp"
#include "bench/system/guest_watch.hpp"
#include "libos/core/libos.hpp"
#include "libos/heap/heap.hpp"
#include "libos/vmm/deprivileged/guest.hpp"
#include "libos/vmm/monitor/files.hpp"
#include "libos/vmm/monitor/monitor.hpp"
#include "libos/vmm/monitor/paravirt_guest.hpp"
#include "libos/vmm/monitor/pc_guest.hpp"
#include "libos/vmm/monitor/report.hpp"

using namespace tessera;
using namespace tessera::libos;
using namespace tessera::vmm;
using tessera::bench::GuestPeer;
using tessera::bench::GuestWatch;

namespace {

constexpr u64 kFrames = 32 << 20 >> kPageShift, kDiskPages = 256, kHeapPages = 256;
constexpr MacAddress kAddress{0x52, 0x54, 0, 0, 0, 1};
constexpr std::string_view kWords = "bench";

constinit FrameSupply supply;
BootFileWindow bare, ported;
RunWindow heap_memory, disk_memory;

class MemoryDisk final : public Disk {
  public:
    u64 sectors() const override { return disk_memory.count() * (kPageSize / kSectorSize); }
    bool writable() const override { return false; }
    bool read(u64 sector, std::span<std::byte> to) override {
        std::copy_n(disk_memory.memory() + sector * kSectorSize, to.size(), to.data());
        return true;
    }
    bool write(u64, std::span<const std::byte>) override { return false; }
    bool flush() override { return true; }
};
MemoryDisk disk;

/// Run it to its end. nullptr, or why that was none.
const char* run(TurnTaker& guest, const ExitCounts& exits, GuestWatch& watch) {
    watch.count(exits);
    Monitor monitor;
    monitor.add(guest);
    monitor.run();
    return watch.done() ? nullptr : "it did not come to its end";
}

const char* closed(Outcome outcome) { return outcome.ok() ? nullptr : name_of(outcome.error()); }

const char* add_devices(Platform& platform, GuestPeer& peer) {
    VirtioNet* const card = platform.add_net(peer, kAddress);
    if (card == nullptr || platform.add_disk(disk, "tessera") == nullptr) return "there is no room for its devices";
    peer.answer_to(*card);
    return nullptr;
}

const char* run_paravirt() {
    static GuestWatch watch("paravirt");
    static GuestPeer peer;
    auto* const guest = new ParavirtGuest(
        supply, {.name = "paravirt", .frames = kFrames, .console = watch, .disk = &disk, .port = &peer, .address = kAddress});
    peer.answer_to(*guest);
    if (const auto opened = guest->open(); !opened.ok()) return name_of(opened.error());
    if (const char* problem = guest->boot(ported.bytes(), kWords)) return problem;
    if (const char* problem = run(*guest, guest->exits(), watch)) return problem;
    return closed(guest->close());
}

const char* run_in_ring_3(GuestWatch& watch, std::string_view name, CodeChoice code) {
    static GuestPeer peer;
    auto* const guest = new DeprivilegedGuest(supply, {.name = name, .frames = kFrames, .serial = &watch, .code = code});
    if (const auto opened = guest->open(); !opened.ok()) return name_of(opened.error());
    if (const char* problem = add_devices(guest->platform(), peer)) return problem;
    if (const char* problem = guest->boot({bare.bytes(), {}, kWords})) return problem;
    if (const char* problem = run(guest->processor(), guest->processor().exits(), watch)) return problem;
    report_deprivileged(guest->processor(), name.data());
    return closed(guest->close());
}

const char* run_rewritten() {
    static GuestWatch watch("rewritten");
    return run_in_ring_3(watch, "rewritten", CodeChoice::rewrite);
}

const char* run_translated() {
    static GuestWatch watch("translated");
    return run_in_ring_3(watch, "translated", CodeChoice::translate);
}

const char* run_on_pc(GuestWatch& watch, std::string_view name, PagingChoice paging) {
    static GuestPeer peer;
    auto* const guest = new PcGuest(supply, {.name = name, .frames = kFrames, .serial = &watch, .paging = paging});
    if (const auto opened = guest->open(); !opened.ok()) return name_of(opened.error());
    if (const char* problem = add_devices(guest->platform(), peer)) return problem;
    if (const char* problem = guest->boot_linux({bare.bytes(), {}, kWords})) return problem;
    if (const char* problem = run(guest->processor(), guest->processor().exits(), watch)) return problem;
    if (guest->shadow() != nullptr) report_shadow(guest->shadow()->counts(), name.data());
    return closed(guest->close());
}

const char* run_shadow() {
    static GuestWatch watch("shadow");
    return run_on_pc(watch, "shadow", PagingChoice::shadow);
}

const char* run_nested() {
    static GuestWatch watch("nested");
    return run_on_pc(watch, "nested", PagingChoice::nested);
}

struct Form {
    std::string_view name;
    const char* (*run)();  ///< nullptr, or why it did not work.
};
constexpr Form kForms[] = {{"paravirt", run_paravirt}, {"rewritten", run_rewritten}, {"translated", run_translated},
                           {"shadow", run_shadow}, {"nested", run_nested}};

}  // namespace

// What a form has used is given back before the next one begins.
int libos_main() {
    if (!bare.open("trapped") || !ported.open("paravirt")) return print("no kernels\n"), 2;
    if (!heap_memory.take(kHeapPages).ok() || !heap().open(heap_memory.memory(), kHeapPages << kPageShift)) return 2;
    if (!disk_memory.take(kDiskPages).ok()) return print("no disk\n"), 2;
    for (const Form& form : kForms) {
        const char* problem = form.run();
        if (problem != nullptr) print(form.name, ": ", problem, "\n");
        if (!record("form", form.name, "problem", problem != nullptr ? problem : "").ok()) return 1;
    }
    return 0;
}
