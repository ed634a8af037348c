// A paravirtual guest in ring 3, whole: memory, shadows, a virtual CPU, and the devices behind its rings.
//
//   exit --> syscall            a hypercall, or a program's call for its kernel
//        --> page fault         bound from its tables, or the guest's own
//        --> another exception  its kernel's
//
// No SVM, no instruction is ever decoded, and no PC is imitated: compare pc_guest.hpp.
#pragma once

#include "libos/vmm/devices/uart.hpp"
#include "libos/vmm/monitor/exit_counts.hpp"
#include "libos/vmm/monitor/paravirt_shadows.hpp"
#include "libos/vmm/monitor/turns.hpp"
#include "libos/vmm/paravirt/ring_devices.hpp"
#include "libos/vmm/paravirt/tick_timer.hpp"

namespace tessera::vmm {

/// The board of a paravirtual guest: a timer, and nothing else.
class ParavirtBoard final : public Board {
  public:
    explicit ParavirtBoard(paravirt::Guest& guest) : guest_(guest) {}
    void set_period(u64 now, u64 nanoseconds) { timer_.set(now, nanoseconds); }

    void advance(u64 now) override;
    u64 next_event() const override { return timer_.next(); }
    u32 read_port(u16, u32) override { return ~u32{0}; }
    void write_port(u16, u32, u32) override {}
    CpuidAnswer cpuid(u64, u32, u32) override { return {}; }
    std::optional<u64> read_msr(u64, u32) override { return {}; }
    bool write_msr(u64, u32, u64) override { return false; }
    bool interrupt_pending(u64) const override { return false; }
    u8 acknowledge(u64) override { return 0; }

  private:
    paravirt::Guest& guest_;
    paravirt::TickTimer timer_;
};

struct ParavirtOptions {
    std::string_view name;       ///< For the log; must stay.
    u64 frames;                  ///< Guest frames of 4 KiB, two of which are for what is shared with the monitor.
    ByteSink& console;           ///< What the guest prints.
    Disk* disk = nullptr;
    NetPort* port = nullptr;     ///< Where its packets go.
    MacAddress address{};
};

class ParavirtGuest final : public TurnTaker, private paravirt::GuestEffects {
  public:
    ParavirtGuest(FrameSupply& supply, const ParavirtOptions& options);

    /// Errors: of GuestCpu::open, GuestContext::open and GuestCpu::load.
    Outcome open();
    /// All that it has goes back.
    Outcome close();
    /// Load an image (with the note of libos/vmm/paravirt/interface.hpp) and put the virtual CPU at its entry. Null, or why that cannot be.
    const char* boot(std::span<const std::byte> image, std::string_view command_line);

    Turn run(u64 until) override;
    bool is_halted() const override { return waits_ && !guest_.has_events(); }
    void tell_end() override;
    Machine& machine() override { return machine_; }

    /// A packet for the guest. False: it is lost.
    bool receive(std::span<const std::byte> frame, std::span<const std::byte> rest = {});
    /// The same, but for its header lent to the guest at a page of the port's.
    bool receive_lent(std::span<const std::byte> header, u64 page, u64 size);

    std::string_view name() const { return options_.name; }
    const ExitCounts& exits() const { return exits_; }
    const ParavirtShadows& shadows() const { return shadows_; }

  private:
    // Effects of hypercalls.
    void table_made(u64 frame) override { shadows_.table_made(frame); }
    void table_gone(u64) override {}  // Read-only until it is written to.
    void page_changed(u64 root, u64 page) override { shadows_.page_changed(root, page_of(VirtAddr{page})); }
    void tables_changed() override { shadows_.tables_changed(); }
    void root_gone(u64 root) override { shadows_.root_gone(root); }
    u64 nanoseconds() override { return machine_.clock().nanoseconds(now_); }
    void set_timer(u64 period) override;
    bool start_ring(paravirt::RingKind kind, u64 frame) override;
    bool notify_ring(paravirt::RingKind kind) override;
    void print(std::string_view text) override { options_.console.put(std::as_bytes(std::span(text))); }
    bool zero_frame(u64 frame) override { return guest_.memory().clear(frame << kPageShift, kPageSize); }
    void free_frame(u64 frame) override;

    Turn go_on(u64 until);
    paravirt::Next handle(GuestExit exit);
    bool does(paravirt::Next next);
    static std::span<GuestFrame> take_map(RunWindow& window, u64 frames);
    static std::span<paravirt::PageTables::FrameUse> take_uses(RunWindow& window, u64 frames);

    const ParavirtOptions options_;
    RunWindow map_, uses_;
    Memory memory_;
    paravirt::Guest guest_;
    ParavirtShadows shadows_;
    ParavirtBoard board_;
    Machine machine_;
    GuestCpu cpu_;
    ExitCounts exits_;
    std::optional<paravirt::RingDisk> disk_;
    std::optional<paravirt::RingNetwork> network_;
    u64 now_ = 0;  // TSC
    bool waits_ = false;
};

}  // namespace tessera::vmm
