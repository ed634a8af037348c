// A guest as most are: the small PC, memory that fills itself, virtual CPUs; all of it in one object, on a heap.
//
//   PcGuest guest(supply, {.name = "one", .frames = 32768});
//   guest.open();                                   what the kernel has to give
//   guest.platform().add_disk(disk, "serial");      devices, before it runs
//   guest.boot_linux({kernel, initrd, "role=..."});
//   monitor.add(guest.processor());
#pragma once

#include "libos/vmm/boot/linux.hpp"
#include "libos/vmm/boot/multiboot.hpp"
#include "libos/vmm/monitor/pc_board.hpp"
#include "libos/vmm/monitor/processor.hpp"
#include "libos/vmm/monitor/shadow_paging.hpp"

namespace tessera::vmm {

enum class PagingChoice {
    best,    ///< Nested where the CPU has it.
    nested,
    shadow,
};
/// Has this CPU nested paging? (APM vol. 3, CPUID 8000_000A.)
bool has_nested_paging();

struct PcOptions {
    std::string_view name;        ///< For the log; must stay.
    u64 frames;                   ///< Guest frames of 4 KiB.
    u64 cpus = 1;                 ///< Virtual CPUs: 1 to kMaxGuestCpus. All but the first want somebody who runs them (team.hpp).
    ByteSink* serial = nullptr;   ///< Who gets what the guest prints; nullptr: lines of the log.
    PagingChoice paging = PagingChoice::best;
    ShadowOptions shadow{};
};

class PcGuest {
  public:
    PcGuest(FrameSupply& supply, const PcOptions& options);

    /// What translates its addresses, and the first virtual CPU.  Errors: of Paging::open and Processor::open.
    Outcome open();
    /// All that it has goes back.
    Outcome close();

    /// Load a kernel and put the virtual CPU at its beginning. nullptr, or why it cannot be. Linux is told what every guest
    /// on this PC has to be told, before what `boot` says.
    const char* boot_linux(const LinuxBoot& boot);
    const char* boot_multiboot(const MultibootBoot& boot);

    std::string_view name() const { return machine_.name(); }
    Platform& platform() { return platform_; }
    Memory& memory() { return memory_; }
    Machine& machine() { return machine_; }
    u64 cpus() const { return platform_.cpus(); }
    /// index < cpus().
    Processor& processor(u64 index = 0) { return *processors_[index]; }
    /// nullptr: it has nested paging.
    const ShadowPaging* shadow() const { return shadow_ ? &*shadow_ : nullptr; }

  private:
    Paging& choose(const PcOptions& options);
    static std::span<GuestFrame> take_map(RunWindow& window, u64 frames);
    const char* begin(const BootResult& loaded);
    Outcome open_for_several();

    RunWindow map_;
    Memory memory_;
    std::optional<NestedPaging> nested_;  // one of the two
    std::optional<ShadowPaging> shadow_;
    Paging& paging_;
    NotedMemory noted_;
    NoteLog notes_;
    LineSink lines_;
    Platform platform_;
    PcBoard board_;
    Machine machine_;
    std::optional<Processor> processors_[kMaxGuestCpus];
    RunWindow apic_page_;
};

}  // namespace tessera::vmm
