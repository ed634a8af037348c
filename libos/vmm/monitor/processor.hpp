// One virtual CPU of a machine: it runs until something comes up, and does what the hardware would have done.
//
//   guest_run --> exit --> count --> handler --> devices' time --> interrupt or window --> guest_run ...
//
// The way through here is the price of every exit, so it is kept short: two readings of the TSC, a switch, the handler.
#pragma once

#include <array>

#include "libos/vmm/monitor/exit_counts.hpp"
#include "libos/vmm/monitor/turns.hpp"

namespace tessera::vmm {

/// What the CPU keeps and the control block does not: debug registers are the guest's own fiction.
struct DebugRegisters {
    u64 address[4]{};
    u64 status = 0xffff'0ff0, control = 0x400;
};

class Processor final : public TurnTaker {
  public:
    /// All but the first wait until another one starts them.
    Processor(Machine& machine, u64 index) : machine_(machine), index_(index), waiting_(index != 0) {}

    /// Make the guest, with what a monitor wants to hear of. What it starts with is to be written to cpu().state() then.
    /// Errors: of GuestCpu::open and Paging::attach.
    Outcome open();
    Outcome close() { return cpu_.close(); }

    Turn run(u64 until) override;

    GuestCpu& cpu() { return cpu_; }
    const GuestCpu& cpu() const { return cpu_; }
    Machine& machine() override { return machine_; }
    const Machine& machine() const { return machine_; }
    u64 index() const { return index_; }
    const ExitCounts& exits() const { return exits_; }
    /// The TSC when it began; 0: it has not.
    u64 began() const { return began_; }
    const DebugRegisters& debug() const { return debug_; }
    bool is_halted() const override { return halted_ || waiting_; }
    bool tells_end() const override { return machine_.end().cpu == index_; }
    void tell_end() override;

  private:
    Turn go_on(u64 until);
    bool has_work();
    void obey();
    void switch_off(bool off);
    void handle(GuestExit exit);
    void handle_rest(GuestExit exit);
    void deliver();
    void fail(const char* reason, u64 detail = 0) { machine_.stop({End::failed, reason, detail, index_}); }
    template <u8... bytes>
    void skip() {
        if (!cpu_.skip<bytes...>(machine_.memory())) fail("an instruction that exits has another form than the one that is known");
    }

    void on_port();
    void on_timed_port(u64 what);
    void access_port(u64 what);
    void on_string_port(u64 what);
    std::optional<u64> reach(u64 address, bool write);
    void on_cpuid();
    void on_msr();
    void on_halt();
    void on_shutdown();
    void on_debug_register(u64 number, bool write);
    void on_exception(u64 vector);
    bool write_efer(u64 value);

    Machine& machine_;
    GuestCpu cpu_;
    const u64 index_;
    bool halted_ = false;
    bool waiting_;  // for its start
    u64 began_ = 0, now_ = 0;  // TSC: when it began, at the last exit
    u64 pat_ = 0x0007'0406'0007'0406;
    DebugRegisters debug_;
    ExitCounts exits_;
};

}  // namespace tessera::vmm
