// Linux guests whose memory one manager looks after: what is equal is shared, what the kernel asks for comes out of balloons,
// or is put out; and one disk image for all, whose blocks are shown instead of copied.
//
//   vmlinux=NAME initrd=NAME disk=NAME   files of the boot loader's; without a disk there is none
//   memory=MIB guests=N                  of each guest (64), how many (1)
//   name=WORD                            the guests are called WORD-1, WORD-2, ... (guest)
//   share=PAGES                          hashed in each interval while all guests are idle, and an eighth as many while not;
//                                        0: nothing is shared (256)
//   interval=MICROSECONDS                (2000)
//   balloon=0                            no balloons
//   lender=NAME loans=N                  equal pages are shared with the monitors that this environment serves, so many at a time (4096)
//   squeeze=FRAMES                       of ours, for pages that are put out (0: none are)
//   most=FRAMES                          that the guests' memory takes; they are given less than they think, and pages go out
//   vault=NAME                           frames that this environment offers for them instead
//   show=0                               blocks of the disk are copied
//   single=1                             no guest memory in pages of 2 MiB: then it is seen which are used
//   boots=N keep=1                       so many times, one after the other; what was written to the disk is kept between them
//   kept=PERCENT                         of its memory that a balloon leaves a guest (25)
//   calm=MILLISECONDS                    since frames were asked for, or refused, until balloons get smaller again (500)
//   report=MILLISECONDS                  between two records (0: only one at the end)
//   cmdline=...                          everything behind it, for the guests' kernels
#include <algorithm>
#include <utility>

#include "libos/core/libos.hpp"
#include "libos/heap/heap.hpp"
#include "libos/transfer/board.hpp"
#include "libos/vmm/lending/borrower.hpp"
#include "libos/vmm/memory/manager.hpp"
#include "libos/vmm/memory/shown_disk.hpp"
#include "libos/vmm/monitor/files.hpp"
#include "libos/vmm/monitor/pc_guest.hpp"
#include "libos/vmm/monitor/report.hpp"

using namespace tessera;
using namespace tessera::libos;
using namespace tessera::vmm;

namespace {

constexpr u64 kMostGuests = MemoryManager::kMostGuests;

constinit FrameSupply supply;
constinit Borrower borrower(supply);
BootFileWindow kernel, initrd, disk_file;
RunWindow heap_memory, pool_memory;

bool fail(const char* what, const char* why) {
    print("no ", what, ": ", why, "\n");
    return false;
}
bool check(const char* what, const Outcome& outcome) { return outcome.ok() || fail(what, name_of(outcome.error())); }

std::string_view command_line() {
    constexpr std::string_view kOption = "cmdline=";
    const std::string_view all = arguments();
    const auto found = std::ranges::search(all, kOption);
    return found.empty() ? std::string_view{} : std::string_view(found.end(), all.end());
}

/// The image, and for each guest the blocks that it wrote.
class Disks {
  public:
    bool open() {
        if (argument("disk").empty()) return true;
        if (!disk_file.open(argument("disk"))) return fail("disk", "there is no file of that name");
        if (!check("memory for what is written", pool_memory.take(argument("pool", 1024)))) return false;
        image_.emplace(disk_file.bytes());
        pool_.emplace(std::span(pool_memory.memory(), pool_memory.count() << kPageShift));
        const auto frames = std::ranges::find(boot().files, argument("disk"), [](const BootFile& file) { return std::string_view(file.name); });
        const auto adopted = supply.adopt(frames->frames);
        if (!adopted.ok()) return fail("disk", name_of(adopted.error()));
        first_ = adopted.value();
        for (auto& each : disks_) each = new CowDisk(*image_, *pool_, {new u32[image_->blocks()], image_->blocks()});
        return true;
    }
    /// The disk of guest `index` as it is now.
    bool add(u64 index, PcGuest& guest, ManagedMemory& memory) {
        if (!image_) return true;
        auto* const shown = new ShownDisk(*disks_[index], memory, first_, argument("show", 1) != 0 ? image_->bytes() : 0);
        shown_[index] = shown;
        return guest.platform().add_disk(*shown, "tessera") != nullptr || fail("disk", "there is no room for it in the guest");
    }
    void between_boots() {
        for (CowDisk* each : disks_)
            if (each != nullptr && argument("keep", 0) == 0) each->discard();
        for (ShownDisk*& each : shown_) delete std::exchange(each, nullptr);
    }
    void tell() {
        u64 shown = 0, copied = 0, changed = 0;
        for (u64 i = 0; i < kMostGuests; ++i) {
            if (shown_[i] == nullptr) continue;
            shown += shown_[i]->shown();
            copied += shown_[i]->copied_bytes();
            changed += disks_[i]->changed();
        }
        print("disk: ", shown, " blocks shown, ", copied >> 10, " KiB copied, ", changed, " blocks written\n");
        static_cast<void>(record("what", "disk", "shown", shown, "copied_bytes", copied, "changed", changed));
    }

  private:
    std::optional<FileImage> image_;
    std::optional<BlockPool> pool_;
    SuppliedFrame first_{};
    CowDisk* disks_[kMostGuests]{};
    ShownDisk* shown_[kMostGuests]{};
};

Disks disks;
char names[kMostGuests][16];

ManagerRules rules() {
    ManagerRules rules;
    rules.interval = argument("interval", rules.interval);
    rules.scan_idle = argument("share", rules.scan_idle);
    rules.scan_busy = rules.scan_idle / 8;
    rules.kept = argument("kept", rules.kept);
    rules.deflate_after = argument("calm", rules.deflate_after);
    rules.report = argument("report", 0);
    rules.seed = borrower.seed();
    return rules;
}

bool open_pager(GuestPager& pager) {
    if (!argument("vault").empty()) {
        static Capability frames;
        const auto found = await_post(argument("vault"), boot().name);
        if (!found.ok()) return fail("vault", name_of(found.error()));
        frames = found.value();
        return check("vault", pager.open_lent(frames));
    }
    const u64 frames = argument("squeeze", 0);
    return frames == 0 || check("memory for what is put out", pager.open_squeezed(frames * 8, frames));
}

PcGuest* open_guest(u64 index, MemoryManager& manager) {
    Writer name(names[index], sizeof names[index] - 1);
    name.add(argument("name").empty() ? "guest" : argument("name"));
    name.add('-');
    name.add(index + 1);
    auto* const guest = new PcGuest(supply, {.name = name.view(), .frames = argument("memory", 64) << 20 >> kPageShift});
    if (argument("single", 0) != 0) guest->memory().use_single_frames();
    if (!check("guest", guest->open())) return nullptr;
    ManagedMemory* const memory = manager.add(guest->memory(), guest->processor());
    if (argument("balloon", 1) != 0) memory->set_balloon(guest->platform().add_balloon(*memory));
    if (!disks.add(index, *guest, *memory)) return nullptr;
    const char* const problem = guest->boot_linux({kernel.bytes(), initrd.bytes(), command_line()});
    if (problem != nullptr && !fail("Linux", problem)) return nullptr;
    return guest;
}

/// All guests from boot to end. How many failed; nothing: they did not come that far.
std::optional<u64> run_once(u64 count) {
    const u64 frames = argument("memory", 64) << 20 >> kPageShift;
    auto* const manager = new MemoryManager(supply);
    if (!check("manager", manager->open(rules(), count * frames)) || !open_pager(manager->pager())) return {};
    auto* const monitor = new Monitor;
    PcGuest* guests[kMostGuests];
    for (u64 i = 0; i < count; ++i) {
        guests[i] = open_guest(i, *manager);
        if (guests[i] == nullptr) return {};
        monitor->add(guests[i]->processor());
    }
    monitor->add(*manager);
    if (borrower.seed() != 0) borrower.serve(manager->sharing()), monitor->add(borrower);
    monitor->run();
    manager->tell("memory at the end", ticks());
    const PagingCounts& paging = manager->pager().counts();
    print("pages: ", paging.out, " out, ", paging.in, " in, of which ", paging.in_for_others, " for a device or the monitor, ", paging.lost, " lost\n");
    disks.tell();
    if (borrower.seed() != 0) borrower.report();
    u64 failed = 0;
    for (PcGuest* each : std::span(guests, count)) {
        report_exits(each->processor(), each->name().data());
        failed += each->machine().end().kind == End::failed;
    }
    if (!check("clean end", manager->close())) return {};
    for (PcGuest* each : std::span(guests, count)) {
        if (!check("clean end", each->close())) return {};
        delete each;
    }
    delete monitor;
    delete manager;
    if (supply.taken() != 0) return fail("clean end", "frames are missing"), std::optional<u64>{};
    return failed;
}

}  // namespace

int libos_main() {
    if (!kernel.open(argument("vmlinux"))) return fail("kernel", "there is no file of that name"), 2;
    if (!argument("initrd").empty() && !initrd.open(argument("initrd"))) return fail("initrd", "there is no file of that name"), 2;
    constexpr u64 kHeapPages = 512;
    if (!heap_memory.take(kHeapPages).ok() || !heap().open(heap_memory.memory(), kHeapPages << kPageShift)) return 2;
    if (!disks.open()) return 2;
    if (!argument("lender").empty() && !check("lender", borrower.open(argument("lender"), argument("loans", 4096)))) return 2;
    const u64 count = std::clamp<u64>(argument("guests", 1), 1, kMostGuests);
    supply.set_most(argument("most", kAny));
    const u64 frames = count * (argument("memory", 64) << 20 >> kPageShift);
    if (!check("table of frames", supply.grow(std::min(frames / 2, FrameSupply::kMostRuns - FrameSupply::kRuns)))) return 2;
    u64 failed = 0;
    for (u64 boots = argument("boots", 1); boots != 0; --boots) {
        const auto result = run_once(count);
        if (!result) return 1;
        failed += *result;
        disks.between_boots();
    }
    return failed != 0 ? 1 : 0;
}
