// The small PC with a virtual CPU in ring 3: as PcGuest (libos/vmm/monitor/pc_guest.hpp), for machines without SVM and for
// guests that were made for a real one. Its kernel has to live in the lower half of the address space.
#pragma once

#include "libos/vmm/boot/linux.hpp"
#include "libos/vmm/deprivileged/processor.hpp"
#include "libos/vmm/monitor/pc_board.hpp"

namespace tessera::vmm {

struct DeprivilegedOptions {
    std::string_view name;       ///< For the log; must stay.
    u64 frames;                  ///< Guest frames of 4 KiB.
    ByteSink* serial = nullptr;  ///< Who gets what the guest prints; nullptr: lines of the log.
    ShadowOptions shadow{};      ///< Of roots at most half of kMaxRoots.
    CodeChoice code = CodeChoice::translate;
    u32 inline_after = 16;       ///< Traps of an instruction before its handler is inlined.
};

class DeprivilegedGuest {
  public:
    DeprivilegedGuest(FrameSupply& supply, const DeprivilegedOptions& options);

    /// Errors: of DeprivilegedPaging::open and DeprivilegedProcessor::open.
    Outcome open();
    /// All that it has goes back.
    Outcome close();

    /// Load a kernel by the 64-bit protocol and put the virtual CPU at its beginning. nullptr, or why it cannot be.
    const char* boot(const LinuxBoot& boot);

    std::string_view name() const { return machine_.name(); }
    Platform& platform() { return platform_; }
    Memory& memory() { return memory_; }
    Machine& machine() { return machine_; }
    DeprivilegedProcessor& processor() { return processor_; }

  private:
    static constexpr u64 kSites = 8192, kPages = 1024;  // of the rewriter

    template <class T>
    static std::span<T> take(RunWindow& window, u64 count);

    RunWindow map_, sites_, pages_;
    Memory memory_;
    DeprivilegedPaging paging_;
    NotedMemory noted_;  // tables, and code
    NoteLog notes_;
    LineSink lines_;
    Platform platform_;
    PcBoard board_;
    Machine machine_;
    DeprivilegedProcessor processor_;
};

/// How many exits, emulations and faults there were, by kind: lines, and records named `what`.
void report_deprivileged(const DeprivilegedProcessor& processor, const char* what);

}  // namespace tessera::vmm
