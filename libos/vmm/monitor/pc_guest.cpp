#include "libos/vmm/monitor/pc_guest.hpp"

#include "libos/core/print.hpp"
#include "libos/core/program.hpp"
#include "libos/vmm/boot/linux_command_line.hpp"
#include "libos/vmm/monitor/guest_start.hpp"

namespace tessera::vmm {

using namespace tessera::libos;

// Without memory for the map the guest has no memory either, and cannot be loaded.
std::span<GuestFrame> PcGuest::take_map(RunWindow& window, u64 frames) {
    if (!window.take(Memory::map_pages(frames)).ok()) return {};
    return {reinterpret_cast<GuestFrame*>(window.memory()), frames};
}

PcGuest::PcGuest(FrameSupply& supply, const PcOptions& options)
    : memory_(supply, take_map(map_, options.frames)),
      paging_(choose(options)),
      noted_(memory_, paging_),
      notes_(options.name),
      lines_(options.name),
      platform_(shadow_ ? static_cast<GuestMemory&>(noted_) : memory_, notes_, options.serial != nullptr ? *options.serial : lines_,
                {.cpus = static_cast<u32>(options.cpus), .tsc_hz = information().tsc_hz, .wall_time = 0}),
      board_(platform_),
      machine_(options.name, memory_, board_, paging_) {
    for (u64 i = 0; i < cpus(); ++i) processors_[i].emplace(machine_, i);
}

bool has_nested_paging() {
    constexpr u32 kSvm = 0x8000'000a, kHighest = 0x8000'0000;
    const auto ask = [](u32 leaf) {
        u32 eax = leaf, ebx, ecx = 0, edx;
        asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
        return CpuidAnswer{eax, ebx, ecx, edx};
    };
    return ask(kHighest).eax >= kSvm && (ask(kSvm).edx & 1);
}

Paging& PcGuest::choose(const PcOptions& options) {
    const bool nested = options.paging == PagingChoice::best ? has_nested_paging() : options.paging == PagingChoice::nested;
    if (nested) return nested_.emplace(memory_);
    return shadow_.emplace(memory_, options.shadow);
}

Outcome PcGuest::open() {
    TRY(paging_.open());
    if (cpus() > 1) TRY(open_for_several());
    return processor().open();
}

Outcome PcGuest::open_for_several() {
    if (!nested_) return Error::unsupported;  // one shadow is kept for one virtual CPU
    if (!memory_.fill_all()) return Error::exhausted;
    if (!platform_.write_tables()) return Error::bad_argument;
    TRY(apic_page_.take(1));
    fill_apic_page(std::span<std::byte, kPageSize>(apic_page_.memory(), kPageSize));
    nested_->add_page(kApicPage >> kPageShift, apic_page_.capability());
    return Done{};
}

Outcome PcGuest::close() {
    TRY(processor().close());
    TRY(paging_.close());
    memory_.close();
    if (cpus() > 1) TRY(apic_page_.close());
    return map_.close();
}

const char* PcGuest::begin(const BootResult& loaded) {
    if (loaded.problem == nullptr) start(processor().cpu().state(), loaded.state);
    return loaded.problem;
}

const char* PcGuest::boot_linux(const LinuxBoot& boot) {
    char text[2048];
    Writer line(text, sizeof text);
    line.add(cpus() == 1 ? kLinuxCommandLine : kLinuxCommandLineSmp);
    line.add(" tsc_early_khz=");
    line.add(information().tsc_hz / 1000);
    line.add(' ');
    line.add(boot.command_line);
    if (line.full()) return "the command line is too long";
    CopyPlacer placer(memory_);
    return begin(load_linux(memory_, placer, {boot.kernel, boot.initrd, line.view()}));
}

const char* PcGuest::boot_multiboot(const MultibootBoot& boot) {
    CopyPlacer placer(memory_);
    return begin(load_multiboot(memory_, placer, boot));
}

}  // namespace tessera::vmm
