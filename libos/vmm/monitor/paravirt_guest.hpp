// A paravirtual guest in ring 3, whole: memory, shadows, a virtual CPU, and the devices behind its rings.
//
//   exit --> syscall            a hypercall, or a program's call for its kernel
//        --> page fault         bound from its tables, or the guest's own
//        --> another exception  its kernel's
//
// No SVM, no instruction is ever decoded, and no PC is imitated: compare pc_guest.hpp.
#pragma once

#include "libos/vmm/devices/uart.hpp"
#include "libos/vmm/monitor/clock.hpp"
#include "libos/vmm/monitor/exit_counts.hpp"
#include "libos/vmm/monitor/paravirt_shadows.hpp"
#include "libos/vmm/monitor/processor.hpp"
#include "libos/vmm/paravirt/guest.hpp"
#include "libos/vmm/paravirt/ring_devices.hpp"

namespace tessera::vmm {

struct ParavirtOptions {
    std::string_view name;       ///< For the log; must stay.
    u64 frames;                  ///< Guest frames of 4 KiB, two of which are for what is shared with the monitor.
    ByteSink& console;           ///< What the guest prints.
    Disk* disk = nullptr;
    NetPort* port = nullptr;     ///< Where its packets go.
    MacAddress address{};
};

class ParavirtGuest final : private paravirt::GuestEffects {
  public:
    ParavirtGuest(FrameSupply& supply, const ParavirtOptions& options);

    /// Errors: of GuestCpu::open, GuestContext::open and GuestCpu::load.
    Outcome open();
    /// All that it has goes back.
    Outcome close();
    /// Load an image (with the note of libos/vmm/paravirt/interface.hpp) and put the virtual CPU at its entry. Null, or why that cannot be.
    const char* boot(std::span<const std::byte> image, std::string_view command_line);

    /// Go on until the TSC is `until`, or there is nothing to do.
    Turn run(u64 until);
    /// Idle: when it has something to do by itself, on the TSC; kNever: when something comes for it.
    u64 due() const;
    static constexpr u64 kNever = ~u64{0};

    /// Would `run` do something?
    bool has_work() { return !waits_ || guest_.has_events(); }

    /// A packet for the guest. False: it is lost.
    bool receive(std::span<const std::byte> frame);

    std::string_view name() const { return options_.name; }
    const End& end() const { return end_; }
    const ExitCounts& exits() const { return exits_; }
    const ParavirtShadows& shadows() const { return shadows_; }
    const Memory& memory() const { return memory_; }

  private:
    // Effects of hypercalls.
    void table_made(u64 frame) override { shadows_.table_made(frame); }
    void table_gone(u64) override {}  // Read-only until it is written to.
    void page_changed(u64 root, u64 page) override { shadows_.page_changed(root, page_of(VirtAddr{page})); }
    void tables_changed() override { shadows_.tables_changed(); }
    void root_gone(u64 root) override { shadows_.root_gone(root); }
    u64 nanoseconds() override { return clock_.nanoseconds(now_); }
    void set_timer(u64 period) override;
    bool start_ring(paravirt::RingKind kind, u64 frame) override;
    bool notify_ring(paravirt::RingKind kind) override;
    void print(std::string_view text) override { options_.console.put(std::as_bytes(std::span(text))); }
    bool zero_frame(u64 frame) override { return guest_.memory().clear(frame << kPageShift, kPageSize); }
    void free_frame(u64 frame) override;

    paravirt::Next handle(GuestExit exit);
    paravirt::Next on_page_fault();
    bool goes_on(paravirt::Next next);
    void keep_time();
    static std::span<GuestFrame> take_map(RunWindow& window, u64 frames);
    static std::span<paravirt::PageTables::FrameUse> take_uses(RunWindow& window, u64 frames);

    const ParavirtOptions options_;
    RunWindow map_, uses_;
    Memory memory_;
    paravirt::Guest guest_;
    ParavirtShadows shadows_;
    GuestCpu cpu_;
    Clock clock_;
    ExitCounts exits_;
    End end_;
    std::optional<paravirt::RingDisk> disk_;
    std::optional<paravirt::RingNetwork> network_;
    u64 now_ = 0, period_ = 0, next_tick_ = 0;  // TSC; nanoseconds
    bool waits_ = false;
};

}  // namespace tessera::vmm
